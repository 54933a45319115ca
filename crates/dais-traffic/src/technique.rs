//! MITRE ATT&CK techniques of attack families with well-known names.

/// Families of KDD Cup 1999 and NSL-KDD.
const KDD: [(&str, &str); 33] = [
    ("apache2", "T1499.002"),
    ("back", "T1499.002"),
    ("buffer_overflow", "T1068"),
    ("ftp_write", "T1190"),
    ("guess_passwd", "T1110.001"),
    ("httptunnel", "T1572"),
    ("imap", "T1190"),
    ("ipsweep", "T1046"),
    ("land", "T1499.004"),
    ("loadmodule", "T1068"),
    ("mailbomb", "T1499.002"),
    ("mscan", "T1046"),
    ("named", "T1190"),
    ("neptune", "T1499.001"),
    ("nmap", "T1046"),
    ("perl", "T1068"),
    ("phf", "T1190"),
    ("pod", "T1499.004"),
    ("portsweep", "T1046"),
    ("processtable", "T1499.001"),
    ("ps", "T1068"),
    ("rootkit", "T1014"),
    ("saint", "T1046"),
    ("satan", "T1046"),
    ("sendmail", "T1190"),
    ("smurf", "T1498.002"),
    ("snmpgetattack", "T1602.001"),
    ("snmpguess", "T1110.001"),
    ("sqlattack", "T1068"),
    ("teardrop", "T1499.004"),
    ("udpstorm", "T1498.001"),
    ("worm", "T1210"),
    ("xterm", "T1068"),
];

/// Parts of names that other labelled collections use, the more telling ones first.
const PARTS: [(&str, &str); 17] = [
    ("portscan", "T1046"),
    ("scan", "T1046"),
    ("brute", "T1110"),
    ("patator", "T1110"),
    ("exfiltration", "T1041"),
    ("tunnel", "T1572"),
    ("ddos", "T1498"),
    ("dos", "T1499"),
    ("flood", "T1498"),
    ("heartbleed", "T1190"),
    ("sqlinjection", "T1190"),
    ("webattack", "T1190"),
    ("c&c", "T1071"),
    ("commandandcontrol", "T1071"),
    ("heartbeat", "T1071"),
    ("beacon", "T1071"),
    ("filedownload", "T1105"),
];

/// Names for command and control that are too short to look for inside others.
const COMMAND_AND_CONTROL: [&str; 3] = ["cc", "c2", "cnc"];

/// The technique id of a family, where its name is well known.
pub(crate) fn of_family(name: &str) -> Option<&'static str> {
    let lower = name.trim().to_ascii_lowercase();
    if let Some((_, technique)) = KDD.iter().find(|(family, _)| *family == lower) {
        return Some(technique);
    }
    let letters: String = lower.chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '.')).collect();
    if COMMAND_AND_CONTROL.contains(&letters.as_str()) {
        return Some("T1071");
    }
    PARTS.iter().find(|(part, _)| letters.contains(part)).map(|(_, technique)| *technique)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_names_have_their_technique_and_others_have_none() {
        let known = ["neptune", "ipsweep", "PartOfAHorizontalPortScan", "FTP-Patator", "CC", "DDoS", "SSH_Brute force"];
        let expected = ["T1499.001", "T1046", "T1046", "T1110", "T1071", "T1498", "T1110"];
        assert_eq!(known.map(of_family), expected.map(Some));
        assert_eq!(["External-Attack-to-Device", "spy", "account"].map(of_family), [None; 3]);
    }

    #[test]
    fn every_technique_is_well_formed() {
        for (name, technique) in KDD.iter().chain(&PARTS) {
            let digits = technique.strip_prefix('T').map(|id| id.replace('.', ""));
            let sound = digits.is_some_and(|id| matches!(id.len(), 4 | 7) && id.bytes().all(|b| b.is_ascii_digit()));
            assert!(sound, "{name}: {technique}");
        }
    }
}
