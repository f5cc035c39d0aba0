//! What comes in and what goes out, within bounds.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Config;

impl Config {
    pub(super) fn check_traffic(&self) -> Result<()> {
        self.check_callbacks()?;
        self.check_refusals()?;
        self.check_connections()
    }

    fn check_callbacks(&self) -> Result<()> {
        let callbacks = &self.callbacks;
        ensure!(
            (1..=1_000_000).contains(&callbacks.per_hour),
            "callbacks.per_hour is a number from 1 to 1000000. To take no callbacks from strangers leave \
             callbacks.open at false."
        );
        ensure!(
            (1..=64).contains(&callbacks.parallel),
            "callbacks.parallel is a number from 1 to 64."
        );
        ensure!(
            (0.01..=1000.0).contains(&callbacks.per_second),
            "callbacks.per_second is a number from 0.01 to 1000."
        );
        ensure!(
            (Duration::from_millis(100)..=Duration::from_secs(60)).contains(&callbacks.timeout),
            "callbacks.timeout is a duration from \"100ms\" to \"60s\"."
        );
        Ok(())
    }
    fn check_refusals(&self) -> Result<()> {
        let refusals = &self.refusals;
        ensure!(
            (1..=1_000_000).contains(&refusals.quota),
            "refusals.quota is a number from 1 to 1000000."
        );
        let day = Duration::from_secs(24 * 60 * 60);
        ensure!(
            (Duration::from_secs(1)..=366 * day).contains(&refusals.window),
            "refusals.window is a duration from \"1s\" to \"366d\"."
        );
        Ok(())
    }

    fn check_connections(&self) -> Result<()> {
        let connections = &self.connections;
        for (name, count) in [
            ("most", connections.most),
            ("per_address", connections.per_address),
            ("polls", connections.polls),
            ("body_rate", connections.body_rate),
        ] {
            ensure!(
                (1..=1_000_000).contains(&count),
                "connections.{name} is a number from 1 to 1000000."
            );
        }
        for (name, wait) in [
            ("head", connections.head),
            ("idle", connections.idle),
            ("body", connections.body),
            ("write", connections.write),
        ] {
            ensure!(
                (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&wait),
                "connections.{name} is a duration from \"100ms\" to \"1h\"."
            );
        }
        Ok(())
    }
}
