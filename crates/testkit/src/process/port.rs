//! A port for a server that other tests, in this process or another, will not take.
//! It stays reserved while the server is down between a kill and the next start.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// The first port tried. All are below those that the system gives to outgoing connections, one of
/// which could take the port while no server has it.
const FIRST: u16 = 15_000;
const COUNT: u16 = 16_000;

/// A TCP port on 127.0.0.1, reserved among harnesses for as long as this lives.
///
/// The reservation is the UDP port of the same number, which nobody else has a use for: the TCP port
/// itself has to stay free for the server. Without it two servers could be started on one port, and
/// each test take the one that got it for its own.
pub(super) struct Port {
    number: u16,
    _reservation: UdpSocket,
}

impl Port {
    /// A port that is free now.
    pub(super) fn reserve() -> Port {
        // Processes that run at the same time start their search apart.
        let start = u16::try_from(std::process::id() * 16 % u32::from(COUNT)).unwrap_or(0);
        let numbers = (0..COUNT).map(|step| FIRST + (start + step) % COUNT);
        let mut free = numbers.filter_map(|number| {
            let reservation = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
            TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
            Some(Port { number, _reservation: reservation })
        });
        free.next().expect("a free port")
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::Port;

    #[test]
    fn a_reserved_port_is_given_to_nobody_else_though_nothing_listens_on_it() {
        let first = Port::reserve();
        assert_ne!(Port::reserve().number(), first.number());
    }
}
