use atelier_cache::semantic::{Candidate, Vectors};

use super::{MOST, Stores, at};

/// Where time ends for these vectors, in hours.
const END: i64 = 100;

fn job(number: u8) -> String {
    uuid::Uuid::from_u128(number.into()).simple().to_string()
}

fn hours(hours: i64) -> jiff::Timestamp {
    at(hours * 3_600_000)
}

/// A direction in the plane of the first two numbers, in degrees.
fn direction(degrees: f32) -> Vec<f32> {
    let (y, x) = degrees.to_radians().sin_cos();
    vec![x, y, 0.0, 0.0]
}

async fn put(vectors: &dyn Vectors, number: u8, scope: u64, degrees: f32, hour: i64) {
    let (now, until) = (hours(hour), hours(END));
    vectors
        .put(&job(number), scope, &direction(degrees), now, until)
        .await
        .unwrap();
}

async fn nearest(vectors: &dyn Vectors, scope: u64, degrees: f32) -> Vec<Candidate> {
    vectors.renew().await.unwrap();
    vectors
        .nearest(scope, &direction(degrees), 0.5, 3, hours(1))
        .await
        .unwrap()
}

async fn found(vectors: &dyn Vectors, scope: u64, degrees: f32) -> Vec<String> {
    let found = nearest(vectors, scope, degrees).await;
    found.into_iter().map(|candidate| candidate.id).collect()
}

pub(super) async fn the_nearest_with_the_same_parameters_are_found(stores: Stores) {
    let [one, other] = &stores.vectors;
    assert_eq!(found(one.as_ref(), 1, 0.0).await, [""; 0]);
    for (number, scope, degrees) in [(1, 1, 0.0), (2, 1, 30.0), (3, 1, 100.0), (4, 2, 10.0)] {
        put(one.as_ref(), number, scope, degrees, number.into()).await;
    }
    for vectors in [one, other] {
        let all = nearest(vectors.as_ref(), 1, 10.0).await;
        let jobs: Vec<_> = all.iter().map(|candidate| &candidate.id).collect();
        assert_eq!(jobs, [&job(1), &job(2)], "the third is farther than 0.5");
        let expected = 10.0_f32.to_radians().cos();
        assert!((all[0].similarity - expected).abs() < 0.01, "{all:?}");
        assert_eq!(found(vectors.as_ref(), 2, 0.0).await, [job(4)]);
        assert_eq!(found(vectors.as_ref(), 3, 0.0).await, [""; 0]);
        assert_eq!(vectors.count().await.unwrap(), 4);
    }
    let largest = u64::MAX >> 1;
    put(other.as_ref(), 5, largest, 0.0, 5).await;
    assert_eq!(found(one.as_ref(), largest, 0.0).await, [job(5)]);
    assert_eq!(found(one.as_ref(), largest - 1, 0.0).await, [""; 0]);
}

pub(super) async fn no_more_neighbours_are_found_than_asked_for(stores: Stores) {
    let [vectors, _] = &stores.vectors;
    for number in 0..5 {
        put(vectors.as_ref(), number, 1, number.into(), 0).await;
    }
    let jobs = [job(0), job(1), job(2)];
    assert_eq!(found(vectors.as_ref(), 1, 0.0).await, jobs);
}

pub(super) async fn vectors_of_other_lengths_are_no_neighbours(stores: Stores) {
    let [vectors, _] = &stores.vectors;
    put(vectors.as_ref(), 1, 1, 0.0, 0).await;
    let long = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let (now, until) = (hours(0), hours(END));
    vectors.put(&job(2), 2, &long, now, until).await.unwrap();
    let near = vectors.nearest(2, &long, 0.5, 3, now).await.unwrap();
    assert_eq!(near.len(), 1);
    assert_eq!(near[0].id, job(2));
    assert_eq!(vectors.nearest(1, &long, 0.5, 3, now).await.unwrap(), []);
    assert_eq!(found(vectors.as_ref(), 1, 0.0).await, [job(1)]);
    vectors.remove(&job(2), now).await.unwrap();
    assert_eq!(vectors.nearest(2, &long, 0.5, 3, now).await.unwrap(), []);
    assert_eq!(vectors.count().await.unwrap(), 1);
}

pub(super) async fn a_later_vector_replaces_an_earlier(stores: Stores) {
    let [one, other] = &stores.vectors;
    put(one.as_ref(), 1, 1, 0.0, 0).await;
    put(other.as_ref(), 1, 2, 90.0, 0).await;
    for vectors in [one, other] {
        assert_eq!(found(vectors.as_ref(), 1, 0.0).await, [""; 0]);
        assert_eq!(found(vectors.as_ref(), 2, 0.0).await, [""; 0]);
        assert_eq!(found(vectors.as_ref(), 2, 90.0).await, [job(1)]);
        assert_eq!(vectors.count().await.unwrap(), 1);
    }
}

pub(super) async fn what_is_removed_is_found_by_nobody(stores: Stores) {
    let [one, other] = &stores.vectors;
    put(one.as_ref(), 1, 1, 0.0, 0).await;
    put(one.as_ref(), 2, 1, 5.0, 0).await;
    assert_eq!(found(other.as_ref(), 1, 0.0).await, [job(1), job(2)]);
    other.remove(&job(1), hours(0)).await.unwrap();
    // Twice is once, and what never was can go as well.
    other.remove(&job(1), hours(0)).await.unwrap();
    other.remove(&job(9), hours(0)).await.unwrap();
    for vectors in [one, other] {
        assert!(!vectors.holds(&job(1)).await.unwrap());
        assert!(vectors.holds(&job(2)).await.unwrap());
        assert_eq!(found(vectors.as_ref(), 1, 0.0).await, [job(2)]);
    }
    one.touch(&job(1), hours(5)).await.unwrap();
    assert!(!one.holds(&job(1)).await.unwrap());
}

pub(super) async fn what_has_expired_is_not_found(stores: Stores) {
    let [vectors, _] = &stores.vectors;
    put(vectors.as_ref(), 1, 1, 0.0, 0).await;
    let at = async |now| {
        let near = vectors.nearest(1, &direction(0.0), 0.5, 3, now).await;
        near.unwrap().len()
    };
    let second = std::time::Duration::from_secs(1);
    assert_eq!(at(hours(END) - second).await, 1);
    assert_eq!(at(hours(END)).await, 0);
    vectors.sweep(hours(END) - second).await.unwrap();
    assert_eq!(vectors.count().await.unwrap(), 1);
    vectors.sweep(hours(END)).await.unwrap();
    assert_eq!(vectors.count().await.unwrap(), 0);
    assert!(!vectors.holds(&job(1)).await.unwrap());
}

pub(super) async fn the_longest_unused_vector_makes_room(stores: Stores) {
    let [one, other] = &stores.vectors;
    for number in 0..MOST as u8 {
        put(one.as_ref(), number, 1, 0.0, number.into()).await;
    }
    other.renew().await.unwrap();
    other.touch(&job(0), hours(50)).await.unwrap();
    one.renew().await.unwrap();
    put(one.as_ref(), 100, 1, 0.0, 50).await;
    for vectors in [one, other] {
        vectors.renew().await.unwrap();
        assert_eq!(vectors.count().await.unwrap(), MOST as u64);
        assert!(!vectors.holds(&job(1)).await.unwrap());
        assert!(vectors.holds(&job(0)).await.unwrap());
    }
}

pub(super) async fn all_vectors_are_forgotten_at_once(stores: Stores) {
    let [one, other] = &stores.vectors;
    put(one.as_ref(), 1, 1, 0.0, 0).await;
    put(one.as_ref(), 2, 1, 0.0, 0).await;
    other.renew().await.unwrap();
    assert_eq!(other.clear(hours(0)).await.unwrap(), 2);
    for vectors in [one, other] {
        assert_eq!(found(vectors.as_ref(), 1, 0.0).await, [""; 0]);
        assert_eq!(vectors.count().await.unwrap(), 0);
    }
    put(one.as_ref(), 3, 1, 0.0, 0).await;
    assert_eq!(found(other.as_ref(), 1, 0.0).await, [job(3)]);
}
