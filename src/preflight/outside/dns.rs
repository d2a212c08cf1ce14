//! The records of a name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr as _;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long a server may take to answer; each is asked twice over UDP.
const PATIENCE: Duration = Duration::from_secs(2);
/// Name servers of a zone that are asked.
const MOST_SERVERS: usize = 8;
const PORT: u16 = 53;

/// Name servers to ask.
#[derive(Clone, Debug)]
pub(super) struct Resolvers {
    servers: Vec<SocketAddr>,
    /// The port of name servers that are found by name.
    port: u16,
}

/// What a name server says of a name.
#[derive(Debug, Serialize)]
pub(super) struct Records {
    /// Address and port of the server.
    pub server: String,
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rcode: Option<String>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The answers, aliases among them.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    /// Whose it is, without the last dot.
    pub name: String,
    /// `A`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Seconds for which it may be kept.
    pub ttl: u32,
    /// As in a zone file, names without the last dot, texts without quotes.
    pub value: String,
}

impl Resolvers {
    /// Those that this machine uses.
    pub fn own() -> Result<Self, String> {
        let text = std::fs::read_to_string("/etc/resolv.conf").map_err(|error| format!("/etc/resolv.conf: {error}"))?;
        let servers = name_servers(&text);
        if servers.is_empty() { Err("/etc/resolv.conf names no name server".to_owned()) } else { Ok(Self::of(servers)) }
    }

    /// One at an address, with an optional port.
    pub fn at(server: &str) -> Result<Self, String> {
        let address = server.parse::<SocketAddr>().or_else(|_| server.parse::<IpAddr>().map(|ip| (ip, PORT).into()));
        address.map(|address| Self::of(vec![address])).map_err(|_| format!("`{server}` is no address of a name server"))
    }

    fn of(servers: Vec<SocketAddr>) -> Self {
        Self { servers, port: PORT }
    }

    /// What the first server that answers says.
    pub async fn resolve(&self, name: &str, kind: &str) -> Result<Records, String> {
        let (name, kind) = question(name, kind)?;
        let mut trouble = Vec::new();
        for server in &self.servers {
            match ask(*server, &name, kind, true).await {
                Ok(answer) => return Ok(records(*server, &answer)),
                Err(why) => trouble.push(format!("{server}: {why}")),
            }
        }
        Err(trouble.join("; "))
    }

    /// What each name server of the name's zone says.
    pub async fn authoritative(&self, name: &str, kind: &str) -> Result<Vec<Records>, String> {
        let (name, kind) = question(name, kind)?;
        let hosts = self.zone_servers(&name).await?;
        let addresses = join_all(hosts.iter().map(|host| self.addresses(host))).await;
        let addresses: Vec<SocketAddr> = addresses.into_iter().flatten().take(MOST_SERVERS).collect();
        if addresses.is_empty() {
            return Err(format!("the name servers of {name} have no address: {}", hosts.join(", ")));
        }
        let answers = addresses.into_iter().map(async |server| match ask(server, &name, kind, false).await {
            Ok(answer) => records(server, &answer),
            Err(error) => Records { server: server.to_string(), rcode: None, error: Some(error), records: vec![] },
        });
        Ok(join_all(answers).await)
    }

    /// The names of the servers of the zone that a name is in.
    async fn zone_servers(&self, name: &Name) -> Result<Vec<String>, String> {
        let mut zone = name.clone();
        while !zone.is_root() {
            let answer = self.resolve(&zone.to_string(), "NS").await?;
            let servers = answer.records.into_iter().filter(|record| record.kind == "NS").map(|record| record.value);
            let servers: Vec<String> = servers.collect();
            if !servers.is_empty() {
                return Ok(servers);
            }
            zone = zone.base_name();
        }
        Err(format!("no zone of {name} has name servers"))
    }

    /// The IPv4 addresses of a name server: every zone that people reach has one.
    async fn addresses(&self, host: &str) -> Vec<SocketAddr> {
        let found = self.resolve(host, "A").await.map(|answer| answer.records).unwrap_or_default();
        let addresses = found.iter().filter_map(|record| record.value.parse::<IpAddr>().ok());
        addresses.map(|ip| (ip, self.port).into()).collect()
    }
}

/// The name servers of a `resolv.conf`.
fn name_servers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let ip = (words.next()? == "nameserver").then(|| words.next())??;
        // A scope as in fe80::1%eth0 is of this machine only; the system's own resolver is asked with it, we are not.
        ip.parse::<IpAddr>().ok().map(|ip| (ip, PORT).into())
    };
    text.lines().filter_map(address).collect()
}

fn question(name: &str, kind: &str) -> Result<(Name, RecordType), String> {
    let mut parsed = Name::from_utf8(name).map_err(|error| format!("`{name}` is no name: {error}"))?;
    let kind = RecordType::from_str(kind).map_err(|_| format!("`{kind}` is no type of record"))?;
    if kind == RecordType::PTR
        && let Ok(ip) = name.parse::<IpAddr>()
    {
        parsed = Name::from(ip);
    }
    parsed.set_fqdn(true);
    Ok((parsed, kind))
}

/// Asks a server over UDP, and over TCP where the answer is too long for it.
async fn ask(server: SocketAddr, name: &Name, kind: RecordType, recurse: bool) -> Result<Message, String> {
    let mut query = Message::query();
    query.metadata.recursion_desired = recurse;
    query.add_query(Query::query(name.clone(), kind));
    let bytes = query.to_vec().map_err(|error| error.to_string())?;
    let mut last = String::new();
    for _ in 0..2 {
        match timeout(PATIENCE, over_udp(server, &query, &bytes)).await {
            Ok(Ok(answer)) if answer.metadata.truncation => {
                let whole = timeout(PATIENCE, over_tcp(server, &query, &bytes)).await;
                return whole.unwrap_or_else(|_| Err(format!("no answer over TCP within {} s", PATIENCE.as_secs())));
            }
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => last = why,
            Err(_) => last = format!("no answer within {} s", PATIENCE.as_secs()),
        }
    }
    Err(last)
}

async fn over_udp(server: SocketAddr, query: &Message, bytes: &[u8]) -> Result<Message, String> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(|error| error.to_string())?;
    socket.connect(server).await.map_err(|error| error.to_string())?;
    socket.send(bytes).await.map_err(|error| error.to_string())?;
    let mut buffer = vec![0; 65_535];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(|error| error.to_string())?;
        // What does not answer this question is somebody else's, and not waited for in vain: there is a time limit.
        if let Ok(answer) = Message::from_vec(&buffer[..length])
            && belongs(&answer, query)
        {
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &Message, bytes: &[u8]) -> Result<Message, String> {
    let talk = async {
        let mut stream = TcpStream::connect(server).await?;
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let bytes = talk.await.map_err(|error| error.to_string())?;
    let answer = Message::from_vec(&bytes).map_err(|error| error.to_string())?;
    if belongs(&answer, query) { Ok(answer) } else { Err("the answer is to another question".to_owned()) }
}

fn belongs(answer: &Message, query: &Message) -> bool {
    answer.metadata.id == query.metadata.id && (answer.queries.is_empty() || answer.queries == query.queries)
}

fn records(server: SocketAddr, answer: &Message) -> Records {
    let record = |record: &hickory_proto::rr::Record| Record {
        name: bare(&record.name.to_utf8()),
        kind: record.record_type().to_string(),
        ttl: record.ttl,
        value: match &record.data {
            RData::TXT(text) => text.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect(),
            other => bare(&other.to_string()),
        },
    };
    let rcode = match answer.metadata.response_code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => other.to_string(),
    };
    Records {
        server: server.to_string(),
        rcode: Some(rcode),
        error: None,
        records: answer.answers.iter().map(record).collect(),
    }
}

fn bare(text: &str) -> String {
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hickory_proto::op::OpCode;
    use hickory_proto::rr::rdata::{A, NS};

    use super::*;

    /// A name server on loopback: `example.test` is its zone; `site.example.test` has the given address; else NXDOMAIN.
    async fn server(address: Ipv4Addr, truncates: bool) -> SocketAddr {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = tokio::net::TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let place = udp.local_addr().unwrap();
        let answer = move |bytes: &[u8], cut: bool| {
            let asked = Message::from_vec(bytes).unwrap();
            let mut answer = Message::response(asked.metadata.id, OpCode::Query);
            let query = asked.queries[0].clone();
            let (name, kind) = (query.name().clone(), query.query_type());
            let record = |data| hickory_proto::rr::Record::from_rdata(name.clone(), 60, data);
            answer.add_query(query);
            match (name.to_string().as_str(), kind) {
                ("site.example.test.", RecordType::A) if !cut => {
                    answer.add_answer(record(RData::A(A(address))));
                }
                ("site.example.test.", RecordType::A) => answer.metadata.truncation = true,
                ("site.example.test.", _) => {}
                ("example.test.", RecordType::NS) => {
                    answer.add_answer(record(RData::NS(NS(Name::from_ascii("ns.example.test.").unwrap()))));
                }
                ("ns.example.test.", RecordType::A) => {
                    answer.add_answer(record(RData::A(A(Ipv4Addr::LOCALHOST))));
                }
                _ => answer.metadata.response_code = ResponseCode::NXDomain,
            }
            answer.to_vec().unwrap()
        };
        tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
                udp.send_to(&answer(&buffer[..length], truncates), from).await.unwrap();
            }
        });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let mut bytes = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut bytes).await.unwrap();
                let whole = answer(&bytes, false);
                stream.write_u16(u16::try_from(whole.len()).unwrap()).await.unwrap();
                stream.write_all(&whole).await.unwrap();
            }
        });
        place
    }

    #[tokio::test]
    async fn a_server_is_asked_over_udp_and_tcp() {
        for truncates in [false, true] {
            let place = server(Ipv4Addr::new(192, 0, 2, 7), truncates).await;
            let resolvers = Resolvers::at(&place.to_string()).unwrap();
            let found = resolvers.resolve("site.example.test", "A").await.unwrap();
            assert_eq!(found.rcode.as_deref(), Some("NOERROR"));
            let values: Vec<_> = found.records.iter().map(|record| (record.ttl, record.value.as_str())).collect();
            assert_eq!(values, [(60, "192.0.2.7")]);
            let none = resolvers.resolve("other.example.test", "A").await.unwrap();
            assert_eq!((none.rcode.as_deref(), none.records.len()), (Some("NXDOMAIN"), 0));
        }
    }

    #[tokio::test]
    async fn the_servers_of_the_zone_are_found_and_asked() {
        let place = server(Ipv4Addr::new(192, 0, 2, 7), false).await;
        let resolvers = Resolvers { servers: vec![place], port: place.port() };
        let answers = resolvers.authoritative("site.example.test", "A").await.unwrap();
        assert_eq!(answers.len(), 1);
        assert_eq!(
            (answers[0].server.as_str(), answers[0].records[0].value.as_str()),
            (&*place.to_string(), "192.0.2.7")
        );
        let lost = resolvers.authoritative("site.nowhere.invalid", "A").await;
        assert!(lost.unwrap_err().contains("name servers"));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let free = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = Resolvers::at(&free.to_string()).unwrap().resolve("site.example.test", "A").await.unwrap_err();
        assert!(error.contains(&free.to_string()), "{error}");
        assert!(Resolvers::at("not an address").is_err());
    }

    #[test]
    fn resolv_conf_is_read() {
        let text = "# nameserver 192.0.2.1\nsearch x\nnameserver 192.0.2.2\nnameserver  2001:db8::1\nnameserver\nnameserver x\n";
        let found: Vec<String> = name_servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.2:53", "[2001:db8::1]:53"]);
    }
}
