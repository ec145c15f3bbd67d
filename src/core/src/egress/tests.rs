//! What is let out and what is not: tables of addresses, and servers that mean no good.

use super::{
    Destination, DestinationError, Egress, EgressError, Outgoing, TlsFault, Trust, is_public,
    servers::{Authority, Canary, NAME, Names, Reply, Server, to_here},
};
use bytes::Bytes;
use http::{HeaderMap, Method};
use proptest::prelude::*;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Well-known public addresses, and the ones right beside the closed networks.
const PUBLIC: &str = "
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
    172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
    198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 168.63.129.15 168.63.129.17
    2000:: 2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700:4700::1111 2a00:1450:4001::200e 3ffe::1
";

/// Closed, each for its own reason.
const CLOSED: &str = "
    0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.192 192.0.2.1
    192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255 168.63.129.16
    :: ::1 ::8.8.8.8 ::127.0.0.1 ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:8.8.8.8
    64:ff9b::8.8.8.8 64:ff9b::127.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378::1 2001:1::1 2001:10::1 2001:20::1 2001:1ff::1
    2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 3fff:fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1
    fe80::a9fe:a9fe febf::1 fec0::1 ff02::1 ff0e::1
";

fn addresses(table: &str) -> Vec<IpAddr> {
    table.split_whitespace().map(|text| text.parse().expect(text)).collect()
}

#[test]
fn addresses_are_public_or_closed() {
    for address in addresses(PUBLIC) {
        assert!(is_public(address), "{address}");
    }
    for address in addresses(CLOSED) {
        assert!(!is_public(address), "{address}");
    }
}

proptest! {
    #[test]
    fn no_address_of_ipv4_is_public_in_other_clothes(bits: u32) {
        let v4 = Ipv4Addr::from(bits);
        let [a, b] = [(bits >> 16) as u16, bits as u16];
        let clothes = [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, a, b),
            Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0, 0, !a, !b),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, a, b),
        ];
        for address in clothes {
            prop_assert!(!is_public(address.into()), "{address}");
        }
    }

    #[test]
    fn what_the_standard_library_calls_private_is_closed(bits: u32) {
        let v4 = Ipv4Addr::from(bits);
        if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified() {
            prop_assert!(!is_public(v4.into()));
        }
    }
}

#[test]
fn addresses_of_the_web_are_read_in_one_way() {
    let egress = Egress::to_public();
    for text in [
        "https://siem.example.com",
        " https://siem.example.com/services/collector/event ",
        "https://SIEM.example.com:8088/x?y=z",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]:9200/",
        "https://xn--mnchen-3ya.example/",
    ] {
        assert!(egress.web(text).is_ok(), "{text}: {:?}", egress.web(text));
    }
    use DestinationError::{Extras, Name, NoAddress, NotPublic, Plain, Port};
    for (error, texts) in [
        (
            NoAddress,
            &[
                "",
                "siem.example.com",
                "//siem.example.com",
                "https://",
                "https:///",
                "ftp://siem.example.com",
                "file:///etc/passwd",
                "gopher://siem.example.com",
                "https://siem.example.com\\@127.0.0.1",
                "https:\\\\siem.example.com",
                "https://siem.example.com/a b",
                "https://siem.example.com/\r\nx: y",
                "https://siem\t.example.com",
                "https://１２７.0.0.1/",
                "https://127。0。0。1/",
                "https://①②⑦.0.0.1/",
                "https://[fe80::1%25eth0]/",
                "https://[::1",
                "https://999.1.1.1/",
                "https://1.2.3.4.5/",
                "https://siem.example.com:99999/",
                "https://münchen.example/",
                "javascript:alert(1)",
            ][..],
        ),
        (Plain, &["http://siem.example.com", "http://127.0.0.1", "http://localhost:8088", "HTTP://8.8.8.8"]),
        (
            Extras,
            &[
                "https://user@siem.example.com",
                "https://user:pass@siem.example.com",
                "https://@siem.example.com",
                "https://siem.example.com@127.0.0.1/",
                "https://siem.example.com#@127.0.0.1/",
                "https://siem.example.com/#x",
                "https://127.0.0.1#@siem.example.com/",
            ],
        ),
        (Name, &["https://siem", "https://siem.example.com.", "https://intranet/", "https://siem..example.com/"]),
        (
            Port,
            &[
                "https://siem.example.com:22",
                "https://siem.example.com:25/",
                "https://8.8.8.8:80/",
                "https://8.8.8.8:1023/",
            ],
        ),
        (
            NotPublic,
            &[
                "https://127.0.0.1",
                "https://127.1",
                "https://0x7f.1",
                "https://0x7f000001",
                "https://2130706433",
                "https://017700000001",
                "https://0177.0.0.1",
                "https://127.0.0.1.",
                "https://0",
                "https://0.0.0.0",
                "https://10.0.0.1",
                "https://012.0.0.1:8088",
                "https://192.168.1.1",
                "https://0xc0.0xa8.1.1",
                "https://169.254.169.254/latest/meta-data",
                "https://0xa9fea9fe",
                "https://2852039166",
                "https://100.100.100.200",
                "https://192.0.0.192",
                "https://168.63.129.16",
                "https://224.0.0.1",
                "https://255.255.255.255",
                "https://[::1]",
                "https://[::]",
                "https://[::ffff:127.0.0.1]",
                "https://[::ffff:7f00:1]",
                "https://[::ffff:8.8.8.8]",
                "https://[::127.0.0.1]",
                "https://[64:ff9b::7f00:1]",
                "https://[2002:7f00:1::]",
                "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]",
                "https://[fd00:ec2::254]",
                "https://[fe80::1]",
                "https://[fec0::1]",
                "https://[ff02::1]",
                "https://localhost",
                "https://LOCALHOST:8443",
                "https://localhost.",
                "https://siem.localhost",
                "https://siem.localhost.",
            ],
        ),
    ] {
        for text in texts {
            assert_eq!(egress.web(text).map(|web| web.url().to_string()), Err(error), "{text}");
        }
    }
}

#[test]
fn hosts_follow_the_same_rules() {
    let egress = Egress::to_public();
    for text in ["logs.example.com:6514", "8.8.8.8:6514", "[2606:4700:4700::1111]:6514", "logs.example.com:443"] {
        assert!(egress.host(text).is_ok(), "{text}");
    }
    for (text, error) in [
        ("logs.example.com", DestinationError::NoHostAndPort),
        ("https://logs.example.com:6514", DestinationError::NoHostAndPort),
        ("logs.example.com/x:6514", DestinationError::NoHostAndPort),
        ("user@logs.example.com:6514", DestinationError::NoHostAndPort),
        (":6514", DestinationError::NoHostAndPort),
        ("logs.example.com:", DestinationError::NoHostAndPort),
        ("logs:6514", DestinationError::Name),
        ("logs.example.com:514", DestinationError::Port),
        ("0x7f.1:6514", DestinationError::NotPublic),
        ("localhost:6514", DestinationError::NotPublic),
        ("[::1]:6514", DestinationError::NotPublic),
    ] {
        assert_eq!(egress.host(text).map(|to| to.to_string()), Err(error), "{text}");
    }
}

#[test]
fn the_default_mode_reaches_this_machine_and_no_other_private_one() {
    let egress = Egress::to_public().to_loopback_too();
    for text in [
        "http://127.0.0.1:8088",
        "http://localhost:8088/x",
        "https://localhost:8443",
        "http://[::1]:8088",
        "https://127.0.0.1",
    ] {
        assert!(egress.web(text).is_ok(), "{text}");
    }
    for text in [
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[::ffff:127.0.0.1]",
        "https://[fd00::1]",
        "https://0.0.0.0",
    ] {
        assert_eq!(egress.web(text).map(drop), Err(DestinationError::NotPublic), "{text}");
    }
    for text in ["http://siem.example.com", "http://10.0.0.1:8088", "http://localhost.example.com:8088"] {
        assert_eq!(egress.web(text).map(drop), Err(DestinationError::Plain), "{text}");
    }
}

/// A request that says hello.
fn hello(egress: &Egress, url: &str, trust: Trust) -> Outgoing {
    let to = egress.web(url).expect("an address");
    Outgoing { to, method: Method::POST, headers: HeaderMap::new(), body: Bytes::from_static(b"hello"), trust }
}

#[tokio::test]
async fn a_name_that_leads_to_a_closed_address_is_not_connected_to() {
    let canary = Canary::start().await;
    for answer in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["8.8.8.8", "127.0.0.1"],
        &["2606:4700:4700::1111", "127.0.0.1"],
        &["fd00:ec2::254", "8.8.8.8"],
        &[],
    ] {
        let egress = Egress::to_public().resolving(Names::leading(&[answer]));
        let request = hello(&egress, &format!("https://{NAME}:{}/", canary.port), Trust::Public);
        assert_eq!(egress.send(&request).await, Err(EgressError::NotPublic), "{answer:?}");
    }
    let nowhere = Egress::to_public().resolving(Names::leading(&[]));
    let request = hello(&nowhere, &format!("https://{NAME}:{}/", canary.port), Trust::Public);
    assert_eq!(nowhere.send(&request).await, Err(EgressError::NotPublic), "as if it led into a private network");
    assert_eq!(canary.connections().await, 0);
}

#[tokio::test]
async fn what_a_name_leads_to_the_second_time_is_never_asked() {
    let canary = Canary::start().await;
    // Public at first, private whenever it is looked up again: what was looked at is what is connected to.
    let egress = Egress::to_public()
        .resolving(Names::leading(&[&["8.8.8.8"], &["127.0.0.1"]]))
        .within(Duration::from_millis(300));
    let to = egress.host(&format!("{NAME}:{}", canary.port)).expect("a host");
    assert_eq!(egress.addresses(&to).await, Ok(vec![(IpAddr::from([8, 8, 8, 8]), canary.port).into()]));
    assert_eq!(egress.addresses(&to).await, Err(EgressError::NotPublic), "each connection looks for itself");
    let again = Egress::to_public()
        .resolving(Names::leading(&[&["8.8.8.8"], &["127.0.0.1"]]))
        .within(Duration::from_millis(300));
    let first = again.send(&hello(&again, &format!("https://{NAME}:{}/", canary.port), Trust::Public)).await;
    assert!(matches!(first, Err(EgressError::Timeout | EgressError::Unreachable)), "{first:?}");
    assert_eq!(canary.connections().await, 0);
}

#[tokio::test]
async fn a_name_in_the_clear_leads_to_this_machine_or_nowhere() {
    let egress = Egress::to_public().to_loopback_too().resolving(Names::leading(&[&["8.8.8.8"]]));
    let request = hello(&egress, "http://localhost:8088/", Trust::Public);
    assert_eq!(egress.send(&request).await, Err(EgressError::NotPublic));
}

#[tokio::test]
async fn certificates_are_looked_at() {
    let (authority, other, egress) = (Authority::new(), Authority::new(), to_here());
    let (tomorrow, yesterday) =
        (OffsetDateTime::now_utc() + time::Duration::DAY, OffsetDateTime::now_utc() - time::Duration::DAY);
    let fault = async |name: &str, until, trust: Trust| {
        let server = Server::accepting(Some(authority.acceptor_until(name, until))).await;
        let sent = egress.send(&hello(&egress, &server.url("https", NAME, "/"), trust)).await;
        assert_eq!(server.received().len(), usize::from(sent.is_ok()), "nothing is said before TLS stands");
        sent.map(|answer| answer.status).map_err(|error| match error {
            EgressError::Tls(fault) => fault,
            error => panic!("{error}"),
        })
    };
    assert_eq!(fault(NAME, tomorrow, authority.trust()).await, Ok(200));
    assert_eq!(fault(NAME, yesterday, authority.trust()).await, Err(TlsFault::Expired));
    assert_eq!(fault("other.example.com", tomorrow, authority.trust()).await, Err(TlsFault::Name));
    assert_eq!(fault(NAME, tomorrow, other.trust()).await, Err(TlsFault::Issuer));
    assert_eq!(fault(NAME, tomorrow, Trust::Public).await, Err(TlsFault::Issuer));
    let plain = Server::accepting(None).await;
    let sent = egress.send(&hello(&egress, &plain.url("https", NAME, "/"), Trust::Public)).await;
    assert_eq!(sent, Err(EgressError::Tls(TlsFault::Handshake)));
}

#[test]
fn lists_of_authorities_are_read_or_refused() {
    let both = format!("{}\n{}", Authority::new().pem, Authority::new().pem);
    assert!(matches!(Trust::of_pem(&both), Ok(Trust::Only(roots)) if roots.len() == 2));
    assert!(matches!(Trust::of_pem(" \n"), Ok(Trust::Public)));
    let cut = &both[..both.len() / 3];
    for wrong in ["nonsense", cut, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", &"x".repeat(20_000)]
    {
        assert!(Trust::of_pem(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let (canary, egress) = (Canary::start().await, to_here());
    let goal: &'static str = format!("http://127.0.0.1:{}/", canary.port).leak();
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(None, move |_| Reply::Header(status, "location", goal)).await;
        let answer =
            egress.send(&hello(&egress, &server.url("http", "127.0.0.1", "/"), Trust::Public)).await.expect("answered");
        assert_eq!((answer.status, answer.is_success()), (status, false));
    }
    assert_eq!(canary.connections().await, 0);
}

/// A server that reads what comes and answers these bytes, again and again if `forever`.
async fn raw(answer: &'static [u8], forever: bool) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.read(&mut [0; 4096]).await;
        while stream.write_all(answer).await.is_ok() && forever {}
        std::future::pending::<()>().await;
    });
    port
}

#[tokio::test]
async fn whoever_never_ends_is_cut_off() {
    let egress = to_here().within(Duration::from_millis(400));
    let send = async |port: u16| {
        let began = Instant::now();
        let sent = egress.send(&hello(&egress, &format!("http://127.0.0.1:{port}/"), Trust::Public)).await;
        assert!(began.elapsed() < Duration::from_secs(3));
        sent
    };
    assert_eq!(send(raw(b"", false).await).await, Err(EgressError::Timeout), "never answers");
    let headers = raw(b"HTTP/1.1 200 OK\r\nx: ", false).await;
    assert_eq!(send(headers).await, Err(EgressError::Timeout), "never ends its headers");
    let half = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", false).await;
    assert_eq!(send(half).await, Err(EgressError::Timeout), "never ends its body");
    let many = raw(
        b"HTTP/1.1 200 OK\r\nx-endless: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        true,
    )
    .await;
    assert_eq!(send(many).await, Err(EgressError::Broken), "too many headers");
    assert_eq!(
        send(raw(b"220 mail.example.com ESMTP\r\n", false).await).await,
        Err(EgressError::Broken),
        "another protocol"
    );
    let endless = raw(
        b"HTTP/1.1 200 OK\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        true,
    )
    .await;
    assert_eq!(
        send(endless).await.expect("answered").body.len(),
        64 * 1024,
        "of an endless body the beginning is read"
    );
}

#[tokio::test]
async fn an_excerpt_is_one_harmless_line_without_secrets() {
    let egress = to_here();
    let body = "line one\r\nline two\u{1b}[31m \u{202e}txt \"quoted\" tok_secret <script>alert(1)</script>".to_owned();
    let server = Server::start(None, move |_| Reply::With(403, body.clone())).await;
    let answer =
        egress.send(&hello(&egress, &server.url("http", "127.0.0.1", "/"), Trust::Public)).await.expect("answered");
    assert_eq!(
        answer.excerpt(&["tok_secret", ""]),
        r#"line one\r\nline two\u{1b}[31m \u{202e}txt "quoted" … <script>alert(1)</script>"#
    );
    let long = super::Answer { status: 200, retry_after: None, body: "\u{1b}x".repeat(40_000).into_bytes() };
    let excerpt = long.excerpt(&[]);
    assert!(excerpt.chars().count() <= 1024 && excerpt.ends_with('x') || excerpt.ends_with('}'), "{excerpt}");
}

#[tokio::test]
async fn what_is_poured_is_read_to_its_end() {
    let (authority, egress) = (Authority::new(), to_here().within(Duration::from_millis(500)));
    let acceptor = authority.acceptor(NAME);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let to: Destination =
        egress.host(&format!("{NAME}:{}", listener.local_addr().expect("an address").port())).expect("a host");
    let reading = tokio::spawn(async move {
        let mut all = String::new();
        let (stream, _) = listener.accept().await.expect("a connection");
        acceptor.accept(stream).await.expect("tls").read_to_string(&mut all).await.expect("read");
        let (stream, _) = listener.accept().await.expect("a connection");
        let silent = acceptor.accept(stream).await.expect("tls");
        (all, silent)
    });
    assert_eq!(egress.pour(&to, &authority.trust(), b"all of it").await, Ok(()));
    assert_eq!(
        egress.pour(&to, &authority.trust(), b"unread").await,
        Err(EgressError::Timeout),
        "nobody says they have it"
    );
    assert_eq!(reading.await.expect("read").0, "all of it");
}
