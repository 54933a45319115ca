//! One key of a scenario, set by its dotted path.

use serde_json::Value;

use super::{Files, Scenario, Traffic};
use crate::name::nearest;

/// A key that cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The value is no YAML.
    #[error("the value is no YAML: {0}")]
    Yaml(String),
    /// No key of this name is there.
    #[error("{above} has no key `{key}`{}; there are: {}", meant(near.as_ref()), known.join(", "))]
    Unknown {
        /// What the key was looked for in.
        above: String,
        /// The key.
        key: String,
        /// The key that may be meant.
        near: Option<String>,
        /// The keys that are there.
        known: Vec<String>,
    },
    /// A list has no item of this number.
    #[error("{above} is a list of {count}, counted from 0: `{key}` is not in it")]
    NotInList {
        /// The list.
        above: String,
        /// Its length.
        count: usize,
        /// What was looked for.
        key: String,
    },
    /// A value has no keys.
    #[error("{above} is {value}, which has no keys below it")]
    NoKeysBelow {
        /// Whose value it is.
        above: String,
        /// The value.
        value: String,
    },
    /// The value does not fit the key.
    #[error("{0}")]
    Value(String),
}

fn meant(near: Option<&String>) -> String {
    near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
}

impl Scenario {
    /// Sets one key by its dotted path to a value in YAML. Keys of the rules may be named without `rules.`.
    ///
    /// # Errors
    /// A path that is not there, a value that is no YAML or does not fit.
    pub fn set(&mut self, path: &str, text: &str) -> Result<(), KeyError> {
        let value: Value = serde_saphyr::from_str(text).map_err(|error| KeyError::Yaml(error.to_string()))?;
        let mut tree = tree(self);
        let path = &whole(&tree, path);
        complete_path(&mut tree, path);
        *place(&mut tree, path)? = value;
        *self = serde_json::from_value(tree).map_err(|error| KeyError::Value(error.to_string()))?;
        Ok(())
    }

    /// Whether some scenario has a key of this path.
    #[must_use]
    pub fn has_key(path: &str) -> bool {
        let files = Traffic::Files(Files::default());
        [Self::default(), Self { traffic: files, ..Self::default() }].iter().any(|scenario| {
            let mut tree = tree(scenario);
            let path = &whole(&tree, path);
            complete_path(&mut tree, path);
            place(&mut tree, path).is_ok()
        })
    }
}

fn tree(scenario: &Scenario) -> Value {
    serde_json::to_value(scenario).expect("a scenario has string keys and finite numbers only")
}

/// The path from the root of the tree: rules are the bulk of a scenario and may be named without their prefix.
fn whole(tree: &Value, path: &str) -> String {
    let first = path.split('.').next().unwrap_or(path);
    let is_of_rules =
        tree.get(first).is_none() && tree["rules"].as_object().is_some_and(|rules| rules.contains_key(first));
    if is_of_rules { format!("rules.{path}") } else { path.to_owned() }
}

/// Writes out the keys on the way that the scenario has but leaves out of what is written while they have no value: those
/// that it reads when they are null.
fn complete_path(tree: &mut Value, path: &str) {
    let mut pointer = String::new();
    for key in path.split('.') {
        let Some(Value::Object(map)) = tree.pointer_mut(&pointer) else { return };
        if !map.contains_key(key) {
            map.insert(key.to_owned(), Value::Null);
            if serde_json::from_value::<Scenario>(tree.clone()).is_err() {
                if let Some(Value::Object(map)) = tree.pointer_mut(&pointer) {
                    map.remove(key);
                }
                return;
            }
        }
        pointer = format!("{pointer}/{key}");
    }
}

/// The place of a key in the tree of a scenario. What is not there yet is refused with the keys there are, but below a
/// key without a value.
fn place<'a>(tree: &'a mut Value, path: &str) -> Result<&'a mut Value, KeyError> {
    let mut place = tree;
    let mut above = String::from("the scenario");
    for key in path.split('.') {
        place = match place {
            Value::Null => {
                *place = Value::Object(serde_json::Map::new());
                place.as_object_mut().expect("just made").entry(key).or_insert(Value::Null)
            }
            Value::Array(items) => {
                let count = items.len();
                let item = key.parse::<usize>().ok().and_then(|index| items.get_mut(index));
                item.ok_or_else(|| KeyError::NotInList { above: above.clone(), count, key: key.to_owned() })?
            }
            Value::Object(map) => {
                let known: Vec<String> = map.keys().cloned().collect();
                map.get_mut(key).ok_or_else(|| {
                    let near = nearest(key, known.iter().map(String::as_str)).map(str::to_owned);
                    KeyError::Unknown { above: above.clone(), key: key.to_owned(), near, known }
                })?
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(KeyError::NoKeysBelow { above, value: place.to_string() });
            }
        };
        above = format!("`{key}`");
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::super::Play;
    use super::*;

    fn refused(path: &str, text: &str) -> String {
        Scenario::default().set(path, text).expect_err("no such key").to_string()
    }

    #[test]
    fn a_key_is_set_by_its_path_with_or_without_rules() {
        let mut scenario = Scenario::default();
        scenario.set("rules.agent.retrain_every", "7").expect("a key");
        scenario.set("policy.threshold", "0.75").expect("a key of the rules");
        scenario.set("adversaries", "[{share: 0.2, behaviours: [silent]}]").expect("a list");
        scenario.set("adversaries.0.share", "0.3").expect("an item");
        assert_eq!(scenario.rules.agent.retrain_every, 7);
        assert!((scenario.rules.policy.threshold - 0.75).abs() < f32::EPSILON);
        assert!((scenario.rules.adversaries[0].share - 0.3).abs() < f64::EPSILON);
    }

    #[test]
    fn setting_a_key_leaves_all_others_as_they_were() {
        let mut scenario = Scenario::default();
        scenario.set("seed", "18446744073709551615").expect("a key");
        assert_eq!(scenario, Scenario { seed: Some(u64::MAX), ..Scenario::default() });
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_there_is() {
        assert!(refused("agent.retrain_evry", "1").contains("did you mean `retrain_every`?"));
        assert!(refused("nam", "x").contains("there are: name"));
        assert!(refused("name.x", "1").contains("no keys below"));
        assert!(refused("worlds.7", "oracle").contains("a list of 3"));
        assert!(refused("agent.retrain_every", "often").contains("often"));
        assert!(refused("agent.retrain_every", "-1").contains("-1"));
    }

    #[test]
    fn an_address_alone_is_a_prefix_to_allow() {
        let mut scenario = Scenario::default();
        scenario.set("agent.allow", "[192.0.2.7, '2001:db8::/32']").expect("an address and a prefix");
        let shown: Vec<String> = scenario.rules.agent.allow.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.7/32", "2001:db8::/32"]);
        assert!(refused("agent.allow", "[printer]").contains("neither an address nor a prefix"));
    }

    #[test]
    fn a_key_that_is_left_out_while_it_has_no_value_is_set_too() {
        let mut scenario = Scenario::default();
        scenario.set("agent.drift.delta", "0.01").expect("a key below one without a value");
        scenario.set("rules.agent.gate", "{band: 6}").expect("a value with keys");
        scenario.set("agent.abstain_margin", "0.5").expect("a number");
        let agent = &scenario.rules.agent;
        assert_eq!(agent.drift.as_ref().map(|drift| drift.delta), Some(0.01));
        assert_eq!(agent.gate.as_ref().map(|gate| gate.band), Some(6.0));
        assert_eq!(agent.abstain_margin, Some(0.5));
        scenario.set("agent.gate.confirm_rows", "64").expect("a second key below it");
        assert_eq!(scenario.rules.agent.gate.as_ref().map(|gate| (gate.band, gate.confirm_rows)), Some((6.0, 64)));
        for key in ["drift", "gate", "abstain_margin"] {
            scenario.set(&format!("agent.{key}"), "null").expect("off again");
        }
        assert_eq!(scenario, Scenario::default());
        assert!(refused("agent.drift.delt", "0.01").contains("delta"));
        assert!(refused("agent.gate", "often").contains("often"));
    }

    #[test]
    fn how_files_are_played_may_be_set_before_they_are_read() {
        let traffic = Traffic::Files(Files::default());
        let mut scenario = Scenario { traffic, ..Scenario::default() };
        scenario.set("traffic.files.play.pool.flows_per_step", "9").expect("a key");
        let Traffic::Files(Files { play: Some(Play::Pool(pool)), .. }) = scenario.traffic else {
            panic!("a pool");
        };
        assert_eq!(pool.flows_per_step, 9);
    }

    #[test]
    fn a_key_of_some_scenario_is_known() {
        for path in ["agent.retrain_every", "rules.policy.threshold", "traffic.synthetic.steps", "traffic.files.schema"]
        {
            assert!(Scenario::has_key(path), "{path}");
        }
        for path in ["monitoring.enable_prometheus", "agent.retrain", "logging"] {
            assert!(!Scenario::has_key(path), "{path}");
        }
    }
}
