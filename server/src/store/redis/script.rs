//! Scripts: one operation, one round trip, all or nothing.

use std::borrow::Cow;

use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, ToRedisArgs, Value};

use super::{Error, Redis};

/// A Lua script, known to Redis by its hash.
#[derive(Debug)]
pub struct Script {
    code: Cow<'static, str>,
    hash: String,
}

/// Redis looks whether it is full only before the first write of a script, and
/// lets those pass that take no memory: so this one, of a key that is not there,
/// opens the door for all others. From 7.0 on a script could ask to be let in
/// by a flag, which 6.2 does not know.
const DOOR: &str = "redis.call('DEL', KEYS[1] .. ':door')\n";

impl Script {
    /// A script with this source.
    pub fn new(code: &'static str) -> Self {
        Self::of(code.into())
    }

    /// A script that is carried out even when Redis is full.
    pub fn always(code: &'static str) -> Self {
        Self::of(format!("{DOOR}{code}").into())
    }

    fn of(code: Cow<'static, str>) -> Self {
        let hash = ::redis::Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }

    /// The globals in it that nobody declared, each with its line.
    #[cfg(test)]
    pub(crate) fn undeclared(&self) -> Vec<String> {
        super::globals::undeclared(&self.code)
    }
}

/// A script about to be run.
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

    /// The next of `KEYS`; the prefix is put before it. All keys of a call
    /// share a hash tag.
    pub fn key(mut self, name: impl AsRef<str>) -> Self {
        self.keys.push(self.redis.key(name));
        self
    }

    /// The next of `ARGV`, or the next few: a slice is one for each element.
    pub fn arg(mut self, value: impl ToRedisArgs) -> Self {
        value.write_redis_args(&mut self.args);
        self
    }

    /// Runs the script.
    pub async fn run<T: FromRedisValue>(self) -> Result<T, Error> {
        self.redis.shared.converse(self.ask()).await
    }

    /// A server that does not know the script, since it was restarted, took
    /// over or was told to forget, has done nothing; it is given the source.
    async fn ask(&self) -> Result<Value, RedisError> {
        let shared = &self.redis.shared;
        match shared
            .ask(&self.command("EVALSHA", &self.script.hash))
            .await
        {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                shared.ask(&self.command("EVAL", &self.script.code)).await
            }
            answer => answer,
        }
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = ::redis::cmd(name);
        command
            .arg(script)
            .arg(self.keys.len())
            .arg(&self.keys)
            .arg(&self.args);
        command
    }
}
