//! The binary as its users meet it: real processes, real sockets on loopback, real clients.

mod aws;
mod aws_cli;
mod aws_large;
mod moto;
mod sdk;
mod sdk_boto3;
mod sdk_javascript;
