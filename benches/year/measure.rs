//! Time, processor and memory, as the kernel counts them; medians, not means: other work on the machine only adds.

use std::time::{Duration, Instant};

/// Clock on the wall, and time on a processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub wall: Duration,
    pub cpu: Duration,
}

/// Time this thread and one other process (PostgreSQL's end of the connection) were on a processor.
fn on_processor(other: Option<i64>) -> Duration {
    let read = |path: String| -> u64 {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0)
    };
    let own = read("/proc/thread-self/schedstat".to_owned());
    Duration::from_nanos(own + other.map_or(0, |pid| read(format!("/proc/{pid}/schedstat"))))
}

/// Does something and says what it took; `other` is the process that works for this thread.
pub fn spend<T>(other: Option<i64>, work: impl FnOnce() -> T) -> (T, Spent) {
    let (cpu, wall) = (on_processor(other), Instant::now());
    let done = work();
    let wall = wall.elapsed();
    (done, Spent { wall, cpu: on_processor(other).saturating_sub(cpu) })
}

/// Processor time of a whole process since it began (all its threads, ended ones too).
pub fn process_cpu(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program may hold spaces: what follows its bracket is plain.
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<i64> = after.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // The state is a letter and falls out: user and system time are the 11th and 12th numbers, in hundredths.
    Duration::from_millis(u64::try_from(fields.iter().skip(10).take(2).sum::<i64>()).unwrap_or(0) * 10)
}

/// One line of `/proc/PID/status`, in KiB.
pub fn memory(pid: u32, line: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'));
    value.and_then(|v| v.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

pub fn megabytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The middle one; zero of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// Least and most.
pub fn range(values: impl IntoIterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().into_iter().fold(f64::INFINITY, f64::min);
    (least, values.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// « met » or « MISSED ».
pub fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// Load of the last minute: what stands beside absolute figures.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}
