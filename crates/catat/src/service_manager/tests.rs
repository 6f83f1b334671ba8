//! Signs of life to the service manager.

use super::*;

#[test]
fn life_is_shown_twice_in_the_time_given_to_the_process_that_is_asked() {
    let check = |usec: &str, pid: Option<String>| watchdog_interval(Some(usec.into()), pid.map(OsString::from));
    let own = std::process::id();
    assert_eq!(check("30000000", None), Some(Duration::from_secs(15)));
    assert_eq!(check("30000000", Some(own.to_string())), Some(Duration::from_secs(15)));
    assert_eq!(check("30000000", Some((own + 1).to_string())), None);
    for bad in ["", "0", "1", "soon", "-5"] {
        assert_eq!(check(bad, None), None, "{bad}");
    }
    assert_eq!(watchdog_interval(None, None), None);
}

#[test]
fn a_name_without_a_file_is_told_too() {
    let name = format!("catat-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a short name");
    let manager = UnixDatagram::bind_addr(&address).expect("it is free");
    send(OsStr::new(&format!("@{name}")), b"READY=1").expect("it is there");
    let mut words = [0; 16];
    assert_eq!(manager.recv(&mut words).ok().map(|n| words[..n].to_vec()), Some(b"READY=1".to_vec()));
    assert!(send(OsStr::new("@nobody-is-here"), b"READY=1").is_err());
}
