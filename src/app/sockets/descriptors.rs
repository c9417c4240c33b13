//! How many connections a process has room for: its descriptors, less those that the rest of the program needs.

use rustix::process::{Resource, getrlimit};

/// What is asked of the number of connections.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// As configured; 0 = as many as there is room for.
    pub asked: usize,
    pub http_threads: usize,
    /// Connections to the database, of whatever kind.
    pub database: usize,
}

/// Most connections when none are asked for: each costs some 20 kB, and a caller who works at it eight times that.
const PLENTY: usize = 1_024;
/// Below this a service is not much of one: it is said at start-up.
const FEW: usize = 64;

/// The connections to admit, and what an administrator should know about that number.
#[must_use]
pub fn places(needs: Needs) -> (usize, Option<String>) {
    let limit = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    judge(needs, limit)
}

fn judge(needs: Needs, limit: usize) -> (usize, Option<String>) {
    // Logs, listeners, fonts, imports under way; a runtime for each thread; for SQLite a connection is three files.
    let kept = 64 + needs.http_threads * 8 + needs.database * 3;
    // An upload is a file too, and a connection stays a while after its seat was taken.
    let room = (limit.saturating_sub(kept) / 3 * 2).max(8);
    let remedy = "raise LimitNOFILE (ulimit -n)";
    match needs.asked {
        0 if room < FEW => (room, Some(format!("only {limit} descriptors: at most {room} connections; {remedy}"))),
        0 => (room.min(PLENTY), None),
        asked if asked > room => {
            let said =
                format!("server.connections asks for {asked}, {limit} descriptors leave room for {room}; {remedy}");
            (room, Some(said))
        }
        asked => (asked, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_stay_below_the_descriptors() {
        let needs = |asked| Needs { asked, http_threads: 2, database: 5 };
        assert_eq!(judge(needs(0), 1_024), (618, None));
        assert_eq!(judge(needs(0), 1_000_000), (1_024, None));
        assert_eq!(judge(needs(5_000), 1_000_000), (5_000, None));
        assert_eq!(judge(needs(0), usize::MAX).0, 1_024);
        let (places, said) = judge(needs(5_000), 1_024);
        assert_eq!(places, 618);
        assert!(said.unwrap().contains("1024 descriptors"));
        let (places, said) = judge(needs(0), 128);
        assert_eq!(places, 22);
        assert!(said.is_some());
        assert_eq!(judge(needs(0), 64).0, 8);
    }
}
