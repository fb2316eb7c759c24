//! The one integration binary: every room seen from outside. One binary, because every further one links
//! the whole stack again.

#[cfg(test)]
mod api;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod authenticator;
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod cover;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod crash_points;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod http_edge;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod people;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod process;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rota;
#[cfg(test)]
mod rota_paper;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod sheets;
#[cfg(test)]
mod signin;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod smtp_journey;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod support_office;
#[cfg(test)]
mod support_smtp;
#[cfg(test)]
mod swap_worlds;
#[cfg(test)]
mod swaps;
#[cfg(test)]
mod transfers;
