//! Scripts: one operation, one round trip, all or nothing.
//!
//! When a hanging Redis recovers, it processes all that was sent meanwhile. Its callers
//! have stopped waiting by then: they have answered a client with an error, or would not
//! make the call that they claimed. So a script gets a deadline, after which it does
//! nothing. There are four kinds:
//!
//! | kind | late | when Redis is full |
//! |---|---|---|
//! | [`Script::new`] | does nothing | is refused |
//! | [`Script::always`] | does nothing | is carried out |
//! | [`Script::finishing`] | is carried out | is carried out |
//! | [`Script::reading`] | is carried out | is carried out |

use std::{borrow::Cow, time::Instant};

use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, ToRedisArgs, Value};

use super::{Error, Redis, is_late};

/// A Lua script, known to Redis by its hash.
#[derive(Debug)]
pub struct Script {
    code: Cow<'static, str>,
    hash: String,
    /// Whether it does nothing once nobody waits for it.
    expires: bool,
}

/// Redis checks whether it is full only before the first write of a script, and lets
/// commands pass that take no memory: deleting a missing key first thus admits all later
/// writes. From 7.0 on scripts have a flag for that, which 6.2 does not know.
const DOOR: &str = "redis.call('DEL', KEYS[1] .. ':door')\n";

/// The last of `ARGV` is the deadline, in Unix microseconds by the clock of the
/// node. The script itself sees only what stands before it.
const DEADLINE: &str = "\
local deadline, clock = tonumber(table.remove(ARGV)), redis.call('TIME')
if clock[1] * 1000000 + clock[2] > deadline then
  return redis.error_reply('LATE it came too late, and nothing was done')
end
";

impl Script {
    /// A script with this source, which runs only while its caller waits.
    pub fn new(code: &'static str) -> Self {
        Self::of(format!("{DEADLINE}{code}").into(), true)
    }

    /// The same, but it also runs when Redis is full: it frees memory, or denies access.
    pub fn always(code: &'static str) -> Self {
        Self::of(format!("{DEADLINE}{DOOR}{code}").into(), true)
    }

    /// A script that finishes accepted work: it also runs when Redis is full, and however
    /// late. It must be idempotent.
    pub fn finishing(code: &'static str) -> Self {
        Self::of(format!("{DOOR}{code}").into(), false)
    }

    /// A script that changes nothing.
    pub fn reading(code: &'static str) -> Self {
        Self::of(code.into(), false)
    }

    fn of(code: Cow<'static, str>, expires: bool) -> Self {
        let hash = ::redis::Script::new(&code).get_hash().to_owned();
        Self {
            code,
            hash,
            expires,
        }
    }

    /// The undeclared globals in it, each with its line.
    #[cfg(feature = "testing")]
    pub fn undeclared(&self) -> Vec<String> {
        super::globals::undeclared(&self.code)
    }
}

/// A call of a script.
#[must_use = "a call does nothing until it is run"]
pub struct Call<'a> {
    redis: &'a Redis,
    script: &'a Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(redis: &'a Redis, script: &'a Script) -> Self {
        Self {
            redis,
            script,
            keys: vec![],
            args: vec![],
        }
    }

    /// Adds the next of `KEYS`, with the prefix. All keys of a call must share a hash tag.
    pub fn key(mut self, name: impl AsRef<str>) -> Self {
        self.keys.push(self.redis.key(name));
        self
    }

    /// Adds the next of `ARGV`; a slice adds one per element.
    pub fn arg(mut self, value: impl ToRedisArgs) -> Self {
        value.write_redis_args(&mut self.args);
        self
    }

    /// Runs the script.
    pub async fn run<T: FromRedisValue>(self) -> Result<T, Error> {
        let until = self.redis.patience_ends();
        self.redis.shared.converse(until, self.ask(until)).await
    }

    /// Retries a script that came too late although there is time left. Its deadline was
    /// wrong: the clock of its node has been set, or another node has its keys.
    async fn ask(&self, until: Instant) -> Result<Value, RedisError> {
        match self.evaluate(until).await {
            Err(error) if is_late(&error) && Instant::now() < until => {
                self.redis.shared.measure_for(self.place()).await?;
                self.evaluate(until).await
            }
            answer => answer,
        }
    }

    /// Sends the source if the server does not know the script, after a restart, a
    /// failover or `SCRIPT FLUSH`; it has done nothing then.
    async fn evaluate(&self, until: Instant) -> Result<Value, RedisError> {
        let shared = &self.redis.shared;
        let deadline = if self.script.expires {
            Some(shared.deadline(self.place(), until).await?)
        } else {
            None
        };
        let command = |name, script| self.command(name, script, deadline);
        match shared.ask(&command("EVALSHA", &self.script.hash)).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                shared.ask(&command("EVAL", &self.script.code)).await
            }
            answer => answer,
        }
    }

    /// The key that determines its node.
    fn place(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    fn command(&self, name: &str, script: &str, deadline: Option<i64>) -> Cmd {
        let mut command = ::redis::cmd(name);
        command
            .arg(script)
            .arg(self.keys.len())
            .arg(&self.keys)
            .arg(&self.args)
            .arg(deadline);
        command
    }
}
