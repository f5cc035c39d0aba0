//! Paths of the repository, and running other programs in it.

use std::{
    env, fs,
    io::{self, IsTerminal as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The target folder of every build, regardless of `CARGO_TARGET_DIR`: the server embeds
/// `target/site`, and users rely on `target/release/atelier`.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// A command that runs `program` in the root folder.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(root());
    command
}

/// A command that runs `cargo` with the words of `arguments`, as if called by hand.
pub(crate) fn cargo(arguments: &str) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = command(PathBuf::from(program));
    // The variables that `cargo run` sets would rerun build scripts that watch
    // them.
    for (name, _) in env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo.env("CARGO_TARGET_DIR", target());
    // With it, build results would not be where they are expected.
    cargo.env_remove("CARGO_BUILD_TARGET");
    cargo.args(arguments.split_whitespace());
    cargo
}

/// Removes settings of this shell or machine that are not the project's: keys, proxies, a language, a
/// time zone.
pub(crate) fn impartial(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        if is_partial(&name.to_string_lossy()) {
            command.env_remove(&name);
        }
    }
    command.env("LANG", "C.UTF-8").env("TZ", "UTC")
}

fn is_partial(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let begins = ["ATELIER_", "OPENAI_", "REPLICATE_", "AWS_", "OTEL_", "LC_"];
    let ends = ["_PROXY"];
    let exact = [
        "LANGUAGE",
        "RUST_LOG",
        "NO_COLOR",
        "FORCE_COLOR",
        "NODE_OPTIONS",
        "FONTCONFIG_FILE",
    ];
    begins.iter().any(|part| name.starts_with(part))
        || ends.iter().any(|part| name.ends_with(part))
        || exact.contains(&name.as_str())
}

/// A command with only `PATH` of this shell's environment; its home is below `target`.
pub(crate) fn isolated(program: impl AsRef<Path>) -> Result<Command> {
    let home = target().join("home");
    fs::create_dir_all(&home).context("cannot make target/home")?;
    let mut isolated = command(program);
    isolated.env_clear().env("HOME", home);
    isolated.envs(
        ["PATH", "TMPDIR"]
            .into_iter()
            .filter_map(|name| Some((name, env::var_os(name)?))),
    );
    impartial(&mut isolated);
    Ok(isolated)
}

/// Installs the packages of the folder's lock file, unless they are present.
pub(crate) fn npm_ci(folder: &Path) -> Result<()> {
    if !packages_are_old(folder) {
        return Ok(());
    }
    let mut npm = command("npm");
    npm.args(["ci", "--no-fund", "--no-audit"])
        .current_dir(folder);
    run(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))
}

/// Whether `npm ci` has not run since the lock file changed.
fn packages_are_old(folder: &Path) -> bool {
    let changed = |path| fs::metadata(folder.join(path)).and_then(|file| file.modified());
    match (
        changed("node_modules/.package-lock.json"),
        changed("package-lock.json"),
    ) {
        (Ok(installed), Ok(locked)) => installed < locked,
        _ => true,
    }
}

/// Runs to the end with inherited stdio. Errors unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = words(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// As [`run`], but kills the command and all its children after `limit`, unless at a terminal, where Ctrl-C does
/// that: a hanging test then fails instead of blocking the machine.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    if io::stdin().is_terminal() {
        return run(command);
    }
    let line = words(command);
    let mut child = command
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let group = Pid::from_raw(child.id().try_into()?);
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                bail!("`{line}` failed: {status}");
            }
            return Ok(());
        }
        if Instant::now() >= deadline {
            killpg(group, Signal::SIGKILL)?;
            child.wait()?;
            bail!(
                "`{line}` was ended, since it took over {} s",
                limit.as_secs()
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Returns the command's stdout, or an error with its stderr.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = words(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}\n{complaint}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The program that `PATH` finds under one of these names.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

/// The command as typed at a terminal, without the folder of its program.
fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_is_set_up_for_stays_there() {
        for name in [
            "OPENAI_API_KEY",
            "ATELIER_REDIS_URL",
            "http_proxy",
            "HTTPS_PROXY",
            "LC_ALL",
        ] {
            assert!(is_partial(name), "{name}");
        }
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"] {
            assert!(!is_partial(name), "{name}");
        }
    }

    /// Under a terminal it would not be ended.
    #[test]
    fn what_hangs_is_ended_with_what_it_started() {
        if io::stdin().is_terminal() {
            return;
        }
        let mut hangs = command("sh");
        hangs.args(["-c", "sleep 600 & wait"]);
        let error = run_within(Duration::from_millis(200), &mut hangs).unwrap_err();
        assert!(error.to_string().contains("was ended"), "{error}");
    }

    #[test]
    fn an_isolated_program_has_a_home_and_a_language_of_ours() {
        let program = isolated("true").unwrap();
        let mut told: Vec<_> = program
            .get_envs()
            .filter(|(_, value)| value.is_some())
            .collect();
        told.retain(|(name, _)| *name != "PATH" && *name != "TMPDIR");
        let names: Vec<_> = told
            .iter()
            .map(|(name, _)| name.to_string_lossy())
            .collect();
        assert_eq!(names, ["HOME", "LANG", "TZ"]);
    }
}
