//! A server that cannot do what it is told says so instead of starting: which
//! setting, and what to do.

use std::net::TcpListener;

use crate::support::Setup;

fn refuses(setup: &Setup, words: &[&str]) {
    let message = setup.refusal();
    assert!(message.contains("atelier: "), "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn a_data_folder_that_cannot_be_made_is_refused() {
    let setup = Setup::new();
    let file = setup.folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let below = file.join("data");
    let setup = setup.set("ATELIER_DATA", below.to_str().unwrap());
    refuses(
        &setup,
        &["ATELIER_DATA", "writable", "choose another folder"],
    );
}

#[test]
fn a_data_folder_in_use_is_refused() {
    let setup = Setup::new();
    let _first = setup.start();
    refuses(
        &setup,
        &["another atelier", "ATELIER_DATA", "choose another folder"],
    );
}

#[test]
fn a_database_that_is_none_is_refused() {
    let setup = Setup::new();
    std::fs::create_dir_all(setup.data()).unwrap();
    std::fs::write(
        setup.data().join("atelier.db"),
        "not a database at all".repeat(500),
    )
    .unwrap();
    refuses(&setup, &["database", "ATELIER_DATA"]);
}

#[test]
fn a_port_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setup = Setup::new().set("ATELIER_LISTEN", &address);
    refuses(&setup, &[&address, "ATELIER_LISTEN", "choose another port"]);
}

#[test]
fn an_unknown_setting_is_refused() {
    refuses(
        &Setup::with_file("colour = 'red'"),
        &["colour", "config.default.toml"],
    );
    refuses(
        &Setup::with_file("[queue]\nleese = '5s'"),
        &["leese", "`lease`"],
    );
    refuses(
        &Setup::with_file("[[limits]]\nname = 'a'\nquotta = 3"),
        &["quotta"],
    );
}

#[test]
fn an_unknown_provider_is_refused() {
    let setup = Setup::new().set("ATELIER_PROVIDER", "crayons");
    refuses(&setup, &["crayons", "provider", "`openai`", "`local`"]);
    let setup = Setup::new().set("ATELIER_PROVIDER", "openai");
    refuses(&setup, &["ATELIER_PROVIDER", "OPENAI_API_KEY"]);
}

#[test]
fn a_configuration_file_that_is_not_there_is_refused() {
    let setup = Setup::new().set("ATELIER_CONFIG", "/nowhere/atelier.toml");
    refuses(&setup, &["ATELIER_CONFIG", "/nowhere/atelier.toml"]);
    refuses(
        &Setup::with_file("limits = ["),
        &["atelier.toml", "not TOML"],
    );
}
