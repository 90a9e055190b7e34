//! Named places at which a test can kill `run`. They exist only with the cargo feature `failpoints`; without it the
//! macro expands to nothing.

/// Every fail point of `run`, in the order in which it passes them.
#[cfg(any(test, feature = "failpoints"))]
pub(crate) const FAIL_POINTS: [&str; 6] =
    ["run::created", "run::issued", "run::delivered", "run::activated", "run::spawned", "run::ended"];

/// `fail_point!("name")`: a place where `HALLPASS_FAIL=name` kills this process with SIGKILL.
#[cfg(feature = "failpoints")]
macro_rules! fail_point {
    ($name:literal) => {
        fail::fail_point!($name)
    };
}

#[cfg(not(feature = "failpoints"))]
macro_rules! fail_point {
    ($name:literal) => {};
}

/// Arms the fail point that `HALLPASS_FAIL` names, here or in the gate.
#[cfg(feature = "failpoints")]
pub(crate) fn arm() {
    let Some(name) = crate::environment::text("HALLPASS_FAIL") else { return };
    let report = |armed: Result<(), String>| {
        if let Err(error) = armed {
            tracing::error!(%error, "the fail point cannot be armed");
        }
    };
    // `name=action` takes the actions of the crate `fail`, such as `store::before-commit=return(full)`.
    if let Some((name, action)) = name.split_once('=') {
        return report(fail::cfg(name, action));
    }
    // Else the process dies there; `name@n` means the n-th time.
    let (name, nth) = name.split_once('@').map_or((name.as_str(), 1), |(name, n)| (name, n.parse().unwrap_or(1)));
    let passed = std::sync::atomic::AtomicU32::new(0);
    let kill = move || {
        if passed.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == nth {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // The signal may take a moment; nothing may happen in it.
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    };
    report(fail::cfg_callback(name, kill));
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn arm() {}

#[cfg(test)]
mod tests {
    use super::FAIL_POINTS;

    #[test]
    fn the_list_of_fail_points_is_what_the_source_has() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command");
        let mut files = vec![folder.join("run.rs")];
        let inner = std::fs::read_dir(folder.join("run")).expect("source").map(|e| e.expect("entry").path());
        files.extend(inner.filter(|path| !path.ends_with("fail_points.rs")));
        let mut found = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file).expect("text");
            let names = text.split("fail_point!(\"").skip(1).filter_map(|part| part.split('"').next());
            found.extend(names.map(str::to_owned));
        }
        found.sort();
        let mut listed = FAIL_POINTS.map(str::to_owned).to_vec();
        listed.sort();
        assert_eq!(found, listed, "each point is listed, and used once");
    }
}
