//! Limits as their callers see them.

use atelier_app::wire::{self, Kind};

use super::headers::whole_seconds;
use crate::limit::Standing;

/// A policy's standing as JSON.
pub(super) fn limit(standing: &Standing) -> wire::Limit {
    wire::Limit {
        name: standing.policy.name.clone(),
        scope: standing.policy.scope.as_str().into(),
        unit: standing.policy.unit.as_str().into(),
        quota: standing.policy.quota as f64,
        remaining: standing.remaining as f64,
        reset_seconds: whole_seconds(standing.reset),
        actions: standing
            .policy
            .actions
            .iter()
            .map(|action| Kind::from(*action))
            .collect(),
    }
}
