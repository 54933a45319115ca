//! What may be written after `dais ledger`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use dais_ledger::{Digest, HeadVerifier, Kind, Origin};

use super::group::server::ServerArgs;
use super::value;

/// The commands about a ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Show entries, a line each, or one entry in full
    Show(ShowArgs),
    /// Show the last entries, and with --follow those that are appended from now on
    Tail(TailArgs),
    /// Prove that an entry is in the log, or that the log only grew between two sizes
    #[command(after_help = PROVE_FORMATS)]
    Prove(ProveArgs),
    /// Check a printed proof with nothing but the log's name and public key
    CheckProof(CheckProofArgs),
    /// Check the log: entries, hashes, tree and the seals of the heads; `dais verify` checks the decisions too
    Verify(VerifyLogArgs),
    /// Count entries, bytes, heads, steps and authors
    Stats(StatsArgs),
    /// Save the ledger to a folder or an object store, compressed and verified, while it may be written to
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(BackupArgs),
    /// Restore a ledger from a backup, after everything in it was verified
    #[command(after_help = STORES)]
    Restore(RestoreArgs),
    /// Verify the newest backup at a place wholly; to be run by a clock, or with --every by itself
    #[command(after_help = STORES)]
    CheckBackup(CheckBackupArgs),
    /// Write the log as static files (C2SP tlog-tiles) that any web server can offer, or add what is new
    Export(ExportArgs),
    /// Check an export with nothing but the log's name and public key
    VerifyExport(VerifyExportArgs),
    /// Make a ledger of an export, to be read
    Import(ImportArgs),
    /// Carry what is good in a damaged ledger file into a new ledger; the damaged one is only read
    Salvage(SalvageArgs),
    /// Write the file anew without unused space; entries and heads do not change
    Vacuum(VacuumArgs),
    /// Bring file or server to the newest ledger format
    Migrate(MigrateArgs),
}

const PROVE_FORMATS: &str = "\
An inclusion proof is printed as a C2SP tlog-proof with the entry in it, a consistency proof as the body that
tlog-witness takes; both end in the sealed head they lead to. With --json, the digests are in hexadecimal.
`dais ledger check-proof` checks either.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  dais ledger backup runs/mine --to /backups/mine --keep 7
  dais ledger backup runs/mine --to /backups/mine --recipient age1… --keep 7
  dais ledger backup runs/mine --to s3://bucket/prefix --keep 7
  dais ledger check-backup /backups/mine --max-age-hours 25

A store is reached with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION,
one that is not of AWS with AWS_ENDPOINT_URL, and AWS_ALLOW_HTTP=true if it is
not encrypted.";

const STORES: &str = "\
A store is reached with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION,
one that is not of AWS with AWS_ENDPOINT_URL, and AWS_ALLOW_HTTP=true if it is
not encrypted.";

/// `dais ledger show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    /// Index of one entry, from 0, to show in full
    #[arg(conflicts_with_all = ["kind", "author", "step", "limit"])]
    pub(crate) index: Option<u64>,
    /// Only entries of this kind: genesis, member, signature, vote, outcome, sighting, lifecycle, seal
    #[arg(long, value_name = "K", value_parser = value::kind)]
    pub(crate) kind: Option<Kind>,
    /// Only entries of this author: 12, a12 or coordinator
    #[arg(long, value_name = "A", value_parser = value::author)]
    pub(crate) author: Option<u32>,
    /// Only entries of this step
    #[arg(long, value_name = "S")]
    pub(crate) step: Option<u32>,
    /// Most entries shown [default: 50; all with --json]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Print one JSON object per entry, in full
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger tail`.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    /// How many of the last entries
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: u64,
    /// Go on with entries as they are appended, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Print one JSON object per entry, in full
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger prove`.
#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    /// Index of the entry that is in the log
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub(crate) index: Option<u64>,
    /// Size of the log, which must be that of a sealed head [default: that of the last]
    #[arg(long, value_name = "N", conflicts_with = "from")]
    pub(crate) size: Option<u64>,
    /// Older size of the log
    #[arg(long, value_name = "M")]
    pub(crate) from: Option<u64>,
    /// Newer size, which must be that of a sealed head [default: that of the last]
    #[arg(long, value_name = "N", requires = "from")]
    pub(crate) to: Option<u64>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger check-proof`.
#[derive(Debug, Args)]
pub(crate) struct CheckProofArgs {
    /// What `dais ledger prove` printed, as text or with --json; `-` reads standard input
    pub(crate) proof: PathBuf,
    /// Name and public key of the log, as `dais ledger export` prints them
    #[arg(long, value_name = "VKEY", value_parser = value::vkey)]
    pub(crate) key: (Origin, HeadVerifier),
    /// Leaf hash of the entry it must be about [default: that of the entry in the proof]
    #[arg(long, value_name = "HEX", conflicts_with_all = ["old", "old_root"])]
    pub(crate) leaf: Option<Digest>,
    /// File that ends in the older head: a checkpoint, or a proof that was printed before
    #[arg(long, value_name = "FILE", conflicts_with = "old_root")]
    pub(crate) old: Option<PathBuf>,
    /// Root of the older log
    #[arg(long, value_name = "HEX")]
    pub(crate) old_root: Option<Digest>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `dais ledger verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyLogArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    /// Public key that the heads must be sealed with [default: the one stored in the file]
    #[arg(long, value_name = "HEX", value_parser = value::public_key)]
    pub(crate) public_key: Option<HeadVerifier>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger stats`.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    /// Folder of the export, made if need be
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger verify-export`.
#[derive(Debug, Args)]
pub(crate) struct VerifyExportArgs {
    /// Folder of the export
    pub(crate) export: PathBuf,
    /// Name and public key of the log, as `dais ledger export` prints them
    #[arg(long, value_name = "VKEY", value_parser = value::vkey)]
    pub(crate) key: (Origin, HeadVerifier),
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `dais ledger import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Folder of the export
    pub(crate) export: PathBuf,
    /// Name and public key of the log, as `dais ledger export` prints them
    #[arg(long, value_name = "VKEY", value_parser = value::vkey)]
    pub(crate) key: (Origin, HeadVerifier),
    /// The new ledger: a file or a connection string
    #[arg(long, value_name = "LOCATION")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger salvage`.
#[derive(Debug, Args)]
pub(crate) struct SalvageArgs {
    /// Folder of a run, or its ledger file
    pub(crate) ledger: PathBuf,
    /// The new ledger: a file or a connection string
    #[arg(long, value_name = "LOCATION")]
    pub(crate) to: String,
    /// Public key of the log [default: the one stored in the damaged file]
    #[arg(long, value_name = "HEX", value_parser = value::public_key)]
    pub(crate) public_key: Option<HeadVerifier>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `dais ledger backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Folder of a run, or its ledger file
    pub(crate) ledger: PathBuf,
    /// Folder for backups, made if need be, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: PathBuf,
    /// Keep the newest N backups of this log, the new one counted, and remove the others [default: keep all]
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<NonZeroUsize>,
    /// Encrypt for the holder of this age public key; may be repeated
    #[arg(long, value_name = "AGE1…")]
    pub(crate) recipient: Vec<String>,
    /// Encrypt with the passphrase in the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Public key that the heads must be sealed with [default: the one stored in the file]
    #[arg(long, value_name = "HEX", value_parser = value::public_key)]
    pub(crate) public_key: Option<HeadVerifier>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What decrypts a backup, and whose it must be.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// age identity file that decrypts the backup
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// File with the passphrase that decrypts the backup, in its first line
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Public key that the heads must be sealed with [default: the one in the manifest]
    #[arg(long, value_name = "HEX", value_parser = value::public_key)]
    pub(crate) public_key: Option<HeadVerifier>,
    /// Print one JSON object in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `dais ledger restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// A backup (`.db.zst` or `.db.zst.age`), or a folder or `s3://BUCKET/PREFIX`, of which the newest is taken
    pub(crate) place: PathBuf,
    /// Ledger file to restore to, or the folder of a run
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Restore the log as of its last sealed head of at most N entries [default: as it was saved]
    #[arg(long, value_name = "N")]
    pub(crate) until: Option<u64>,
    /// Take the place of a file that is there already, which is kept with `.before-restore` added to its name
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
}

/// `dais ledger check-backup`.
#[derive(Debug, Args)]
pub(crate) struct CheckBackupArgs {
    /// Folder of backups, or `s3://BUCKET/PREFIX`
    #[arg(value_name = "PLACE")]
    pub(crate) place: PathBuf,
    /// Fail when the newest backup is older than this
    #[arg(long, value_name = "H")]
    pub(crate) max_age_hours: Option<u32>,
    /// Check again and again, so much time from one beginning to the next (30s, 15m, 6h, 1d), a line each, until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = value::interval)]
    pub(crate) every: Option<Duration>,
    /// End at the first check that fails, with its exit code
    #[arg(long, requires = "every")]
    pub(crate) until_failure: bool,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
}

/// `dais ledger vacuum`.
#[derive(Debug, Args)]
pub(crate) struct VacuumArgs {
    /// Folder of a run, or its ledger file
    pub(crate) ledger: PathBuf,
}

/// `dais ledger migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Folder of a run, its ledger file, or a connection string
    pub(crate) ledger: PathBuf,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
