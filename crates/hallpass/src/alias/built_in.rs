//! The alias `aws` that is always there: the standard chain, and the endpoint that AWS's own variables name. Inside
//! `hallpass run` these are the placeholder and the gate.

use hallpass_s3::alias::{Addressing, Alias, BUILT_IN, CredentialsSource, normalise_endpoint};

use super::failure;
use crate::environment;
use crate::error::CommandError;

/// Where buckets are that nobody gave a region.
const REGION: &str = "us-east-1";

/// The alias.
///
/// # Errors
/// When a variable names an endpoint that is none.
pub(crate) fn alias() -> Result<Alias, CommandError> {
    of(&environment::text)
}

fn of(variable: &dyn Fn(&str) -> Option<String>) -> Result<Alias, CommandError> {
    let region = variable(environment::AWS_REGION)
        .or_else(|| variable(environment::AWS_DEFAULT_REGION))
        .unwrap_or_else(|| REGION.to_owned());
    let ignored = variable(environment::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS)
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let named = [environment::AWS_ENDPOINT_URL_S3, environment::AWS_ENDPOINT_URL]
        .into_iter()
        .filter(|_| !ignored)
        .find_map(|name| Some((name, variable(name)?)));
    let endpoint = match named {
        Some((name, url)) => {
            normalise_endpoint(&url).map_err(|e| failure::of(e).cause(format!("it stands in the variable {name}")))?
        }
        None => endpoint(&region),
    };
    let (name, addressing, credentials) = (BUILT_IN.to_owned(), Addressing::Auto, CredentialsSource::Chain);
    Ok(Alias { name, endpoint, region, addressing, credentials })
}

/// AWS General Reference, "Amazon S3 endpoints": every region has one of its own; China has another domain.
fn endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://s3.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::of;

    fn endpoint(variables: &[(&str, &str)]) -> String {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        of(&find).expect("an alias").endpoint
    }

    #[test]
    fn the_variables_of_aws_say_where_it_is() {
        let (s3, all) = (("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1/"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:2"));
        assert_eq!(endpoint(&[s3, all]), "http://127.0.0.1:1");
        assert_eq!(endpoint(&[all]), "http://127.0.0.1:2");
        assert_eq!(endpoint(&[]), "https://s3.us-east-1.amazonaws.com");
        assert_eq!(endpoint(&[("AWS_DEFAULT_REGION", "eu-west-1")]), "https://s3.eu-west-1.amazonaws.com");
        assert_eq!(endpoint(&[("AWS_REGION", "cn-north-1")]), "https://s3.cn-north-1.amazonaws.com.cn");
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(endpoint(&[s3, all, ignored]), "https://s3.us-east-1.amazonaws.com");
    }
}
