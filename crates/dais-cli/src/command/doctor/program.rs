//! The program itself: how it was built, and what the processor has for it.

use super::finding::Finding;

/// What this program was built with.
const FEATURES: [(&str, bool); 4] = [
    ("parquet", cfg!(feature = "parquet")),
    ("postgres", cfg!(feature = "postgres")),
    ("mysql", cfg!(feature = "mysql")),
    ("s3", cfg!(feature = "s3")),
];

/// Programs that are of use beside dais, which needs none of them.
const TOOLS: [(&str, &str); 3] = [
    ("promtool", "tests the alert rules of Prometheus"),
    ("sqlite3", "looks into a ledger file"),
    ("tshark", "looks into packet captures"),
];

pub(super) fn examine() -> Vec<Finding> {
    vec![build(), processor(), tools()]
}

fn build() -> Finding {
    let with: Vec<&str> = FEATURES.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    let without: Vec<&str> = FEATURES.iter().filter(|(_, has)| !has).map(|(name, _)| *name).collect();
    let mut detail = format!("dais {}, with {}", env!("CARGO_PKG_VERSION"), list(&with));
    if !without.is_empty() {
        detail.push_str(", without ");
        detail.push_str(&list(&without));
    }
    if cfg!(debug_assertions) {
        let detail = format!("{detail}, built for development");
        return Finding::warning(
            "program",
            detail,
            "runs are several times slower: build with `cargo build --release`",
        );
    }
    Finding::ok("program", detail)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nothing extra".to_owned() } else { names.join(", ") }
}

/// The same instructions that detectors look for when they choose their fast path.
#[cfg(target_arch = "x86_64")]
fn processor() -> Finding {
    let fma = is_x86_feature_detected!("fma");
    let wide = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi");
    if wide && fma && is_x86_feature_detected!("popcnt") {
        Finding::ok("processor", "AVX-512 with byte permutations: detectors take their fastest path")
    } else if is_x86_feature_detected!("avx2") && fma {
        Finding::ok("processor", "AVX2: distances take a fast path, forests the portable one")
    } else {
        let mend = "results are the same; a processor with AVX2 or AVX-512 is several times faster";
        Finding::warning("processor", "neither AVX2 nor AVX-512: detectors take the portable path", mend)
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn processor() -> Finding {
    Finding::ok("processor", format!("{}: detectors take the portable path", std::env::consts::ARCH))
}

fn tools() -> Finding {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let is_there = |name: &str| folders.iter().any(|folder| folder.join(name).is_file());
    let say = |(name, purpose): &(&str, &str)| {
        if is_there(name) { format!("{name} is there") } else { format!("{name} is not ({purpose})") }
    };
    let said: Vec<String> = TOOLS.iter().map(say).collect();
    Finding::ok("other tools", format!("none is needed; {}", said.join(", ")))
}
