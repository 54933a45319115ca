//! Ordinary traffic by the clock: time synchronisation, heartbeats, monitoring, backups, inventories.
//!
//! Beacons, exfiltration, tunnels and scans would be easy to find without it.

use super::activity::server;
use super::address::{CLIENT_FIRST, public};
use super::amount::Amount;
use super::contact::{Contact, Volume};
use super::draft::Draft;
use super::random::{Purpose, Stream, below, unit};
use super::site::{Setting, Site};
use crate::{ConnState, Label, Protocol, Service};

/// Jobs of a site.
const JOBS: usize = 9;

/// Largest share of a site's flows that come by the clock; periods are stretched to keep it.
const SHARE_MAX: f64 = 0.12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    /// A host sets its clock.
    Clock,
    /// A program on a client reports to its maker.
    Heartbeat,
    /// The monitor asks the servers whether they live.
    Monitor,
    /// A file server copies what changed to an archive elsewhere.
    Backup,
    /// A filter asks for reputations by long names.
    Reputation,
    /// A client looks for updates.
    Update,
    /// The monitor tries ports of hosts for an inventory.
    Inventory,
}

/// Chances out of 100 of each task for one job.
const TASKS: [(Task, u32); 7] = [
    (Task::Clock, 25),
    (Task::Heartbeat, 30),
    (Task::Monitor, 9),
    (Task::Backup, 9),
    (Task::Reputation, 9),
    (Task::Update, 14),
    (Task::Inventory, 4),
];

impl Task {
    fn drawn(word: u32) -> Self {
        let mut luck = below(word, 100);
        for (task, chances) in TASKS {
            if luck < chances {
                return task;
            }
            luck -= chances;
        }
        Self::Clock
    }

    /// Shortest and longest period in seconds.
    fn period_s(self) -> (f32, f32) {
        match self {
            Self::Clock => (64.0, 1_024.0),
            Self::Heartbeat => (30.0, 300.0),
            Self::Monitor => (60.0, 120.0),
            Self::Backup => (1_800.0, 14_400.0),
            Self::Reputation => (20.0, 90.0),
            Self::Update => (300.0, 1_800.0),
            Self::Inventory => (7_200.0, 28_800.0),
        }
    }

    /// Flows each time.
    fn flows(self) -> u32 {
        match self {
            Self::Clock | Self::Heartbeat | Self::Update => 1,
            Self::Reputation => 2,
            Self::Backup => 3,
            Self::Monitor => 4,
            Self::Inventory => 60,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Job {
    task: Task,
    period_s: f64,
    phase: f32,
    /// Which of the site's clients or servers, which partner elsewhere, how large.
    character: u32,
}

/// The jobs of one site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jobs<'a> {
    site: &'a Site,
    list: [Job; JOBS],
    flows_per_step: f64,
}

/// The jobs of a site, with periods long enough that ordinary visits remain the most of its traffic.
pub(crate) fn jobs<'a>(setting: &Setting, site: &'a Site) -> Jobs<'a> {
    let mut jobs: [Job; JOBS] = std::array::from_fn(|place| {
        let [task, period, phase, character] = setting.seed.words(Purpose::Job, site.number, place as u32, u32::MAX);
        let task = Task::drawn(task);
        let (shortest, longest) = task.period_s();
        let period_s = f64::from(shortest * libm::powf(longest / shortest, unit(period)));
        Job { task, period_s, phase: unit(phase), character }
    });
    let per_step = |job: &Job| f64::from(job.task.flows()) * setting.params.step_s / job.period_s;
    let flows: f64 = jobs.iter().map(per_step).sum();
    let stretch = (flows / (SHARE_MAX * setting.params.flows_per_step)).max(1.0);
    for job in &mut jobs {
        job.period_s *= stretch;
    }
    Jobs { site, list: jobs, flows_per_step: flows / stretch }
}

impl Jobs<'_> {
    /// Mean flows of all jobs in a step.
    pub(crate) fn flows_per_step(&self) -> f64 {
        self.flows_per_step
    }

    /// Adds the flows that are due in a step.
    pub(crate) fn run(&self, setting: &Setting, step: i64, draft: &mut Draft) {
        let step_s = setting.params.step_s;
        let mut stream = setting.seed.stream(Purpose::Job, self.site.number, step);
        for job in &self.list {
            let (begin, end) = (step as f64 * step_s / job.period_s, (step + 1) as f64 * step_s / job.period_s);
            let phase = f64::from(job.phase);
            let mut turn = (begin - phase).ceil();
            while turn + phase < end {
                let waver_s = f64::from(stream.normal()) * 0.02 * job.period_s.min(60.0);
                let at_s = (turn + phase) * job.period_s - step as f64 * step_s + waver_s;
                let due_s = setting.begin_s(step) + at_s.clamp(0.0, step_s * 0.999);
                self.perform(setting, job, due_s, &mut stream, draft);
                turn += 1.0;
            }
        }
    }

    fn perform(&self, setting: &Setting, job: &Job, due_s: f64, stream: &mut Stream, draft: &mut Draft) {
        for turn in 0..job.task.flows() {
            let contact = self.contact(setting, job, due_s + f64::from(turn) * 0.1, turn, stream);
            let unanswered = if job.task == Task::Inventory { 0.75 } else { 0.01 };
            let flow = if stream.chance(unanswered) {
                if contact.protocol == Protocol::Tcp && stream.chance(0.5) {
                    contact.rejected(stream)
                } else {
                    contact.unanswered(60.0, stream)
                }
            } else {
                let end = if contact.protocol == Protocol::Icmp { ConnState::Oth } else { ConnState::Sf };
                contact.answered(job.volume(), end, stream)
            };
            draft.push(flow, Label::Benign);
        }
    }

    fn contact(&self, setting: &Setting, job: &Job, time_s: f64, turn: u32, stream: &mut Stream) -> Contact {
        let site = self.site;
        let client = site.client(job.character >> 8);
        let host = |host: u8| site.host(host.into());
        let partner = public(setting.seed, 0x4a_6f62 << 40 | u64::from(job.character & 0x3f) << 3 | job.task as u64);
        let (source, destination, port, protocol, service) = match job.task {
            Task::Clock => (client, partner, 123, Protocol::Udp, Service::Ntp),
            Task::Heartbeat => (client, partner, 443, Protocol::Tcp, Service::Tls),
            Task::Monitor if turn.is_multiple_of(2) => {
                let target = server::DNS + ((job.character & 7) as u8 + turn as u8) % 8;
                (host(server::MONITOR), host(target), 0, Protocol::Icmp, Service::None)
            }
            Task::Monitor => (host(server::MONITOR), host(server::WEB), 80, Protocol::Tcp, Service::Http),
            Task::Backup => (host(server::FILES), partner, 443, Protocol::Tcp, Service::Tls),
            Task::Reputation => (host(server::MAIL), host(server::DNS), 53, Protocol::Udp, Service::Dns),
            Task::Update => (client, partner, 80, Protocol::Tcp, Service::Http),
            Task::Inventory => {
                let port = stream.pick(&[22, 80, 135, 139, 443, 445, 3_389, 8_080, 9_100]);
                (host(server::MONITOR), site.host(CLIENT_FIRST + turn / 2), port, Protocol::Tcp, Service::None)
            }
        };
        Contact { time_s, source, destination, port, protocol, service }
    }
}

impl Job {
    fn volume(&self) -> Volume {
        let of = |out: f32, back: f32, seconds: f32, sigma: f32| Volume {
            out: Amount { sigma, ..Amount::fixed(out) },
            back: Amount { sigma, ..Amount::fixed(back) },
            duration: Amount { sigma: 0.5, ..Amount::fixed(seconds) },
        };
        let own = 0.5 + (self.character >> 16 & 0xff) as f32 / 128.0;
        match self.task {
            Task::Clock => of(48.0, 48.0, 0.03, 0.0),
            Task::Heartbeat => of(600.0 * own, 900.0 * own, 0.4, 0.06),
            Task::Monitor => of(160.0, 200.0, 0.02, 0.2),
            Task::Backup => of(20e6 * own, 30_000.0, 40.0, 1.2),
            Task::Reputation => of(85.0 * own, 150.0, 0.03, 0.3),
            Task::Update => of(350.0, 900.0 * own, 0.3, 0.2),
            Task::Inventory => of(90.0, 160.0, 0.05, 0.4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SyntheticParams;
    use crate::synthetic::random::Seed;

    fn setting(flows_per_step: f64) -> Setting {
        Setting { seed: Seed::new(2), params: SyntheticParams { flows_per_step, ..SyntheticParams::default() } }
    }

    #[test]
    fn jobs_run_as_often_as_their_periods_say() {
        for flows_per_step in [5.0, 100.0] {
            let setting = setting(flows_per_step);
            let (mut expected, mut draft) = (0.0, Draft::with_capacity(0));
            for number in 0..20 {
                let site = setting.site(number);
                let jobs = jobs(&setting, &site);
                assert!(jobs.flows_per_step() <= SHARE_MAX * flows_per_step + 1e-9);
                expected += jobs.flows_per_step() * 1_000.0;
                (-500..500).for_each(|step| jobs.run(&setting, step, &mut draft));
            }
            assert!((draft.len() as f64 / expected - 1.0).abs() < 0.05, "{} {expected}", draft.len());
        }
    }

    #[test]
    fn every_task_is_found_at_some_site() {
        let setting = setting(100.0);
        for (task, _) in TASKS {
            let found =
                (0..200).any(|number| jobs(&setting, &setting.site(number)).list.iter().any(|job| job.task == task));
            assert!(found, "{task:?}");
        }
        assert_eq!(TASKS.iter().map(|(_, chances)| chances).sum::<u32>(), 100);
    }
}
