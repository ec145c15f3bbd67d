//! The server: configuration, PostgreSQL, HTTP, jobs, the command line.

mod attachment;
pub mod command;
pub mod config;
mod demo;
pub mod installation;
mod jobs;
pub mod postgres;
pub mod rest;
mod serve;
pub mod web;
