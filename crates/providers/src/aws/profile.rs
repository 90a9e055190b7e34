//! The little that is read of `~/.aws` without the SDK's help: is there a profile, does it name a region, and what may
//! the SDK's chain ask when a profile was named.

use std::collections::HashMap;
use std::path::PathBuf;

use super::options::AwsOptions;

/// The shared config and credentials files, as the environment places them.
fn files(options: &AwsOptions) -> [Option<PathBuf>; 2] {
    let home = options.variable("HOME").map(PathBuf::from);
    let place = |name: &str, file: &str| {
        options.variable(name).map(PathBuf::from).or_else(|| home.as_ref().map(|h| h.join(".aws").join(file)))
    };
    [place("AWS_CONFIG_FILE", "config"), place("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
}

/// True when either shared file is there.
pub(crate) fn exists(options: &AwsOptions) -> bool {
    files(options).into_iter().flatten().any(|path| path.is_file())
}

/// The profile that somebody named: by option, or by AWS_PROFILE, where `default` says no more than its absence.
pub(crate) fn in_use(options: &AwsOptions) -> Option<&str> {
    options.profile.as_deref().or_else(|| options.variable("AWS_PROFILE").filter(|name| *name != "default"))
}

/// Says why a named profile cannot sign in, as far as its lines tell. The SDK's chain would go on to the next identity
/// that it finds: the machine's own, say.
pub(crate) async fn check(options: &AwsOptions, profile: &str) -> Result<(), String> {
    let mut found = false;
    for path in files(options).into_iter().flatten() {
        let text = tokio::fs::read_to_string(&path).await.unwrap_or_default();
        found |= text.lines().any(|line| header(line.trim()) == Some(profile));
    }
    if !found {
        return Err(format!("there is no profile `{profile}` in the AWS configuration files"));
    }
    if options.profile.is_some() && value(options, "credential_source").await.as_deref() == Some("Environment") {
        return Err(format!(
            "profile `{profile}` takes its keys from the environment (credential_source), which is not followed: \
             leave the profile out and name the role with `--role`"
        ));
    }
    Ok(())
}

/// The environment for the SDK's chain. Where a profile is named by option, nothing else that the chain would find is
/// in it; where one is named by AWS_PROFILE, only what no profile can mean is left out.
pub(crate) async fn environment(options: &AwsOptions) -> HashMap<String, String> {
    let mut environment: HashMap<String, String> =
        options.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if in_use(options).is_none() {
        return environment;
    }
    if options.profile.is_some() {
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
            environment.remove(name);
        }
    }
    // A profile may stand on the container's or the machine's identity, also through `source_profile`.
    let mut texts = String::new();
    for path in files(options).into_iter().flatten() {
        texts.push_str(&tokio::fs::read_to_string(&path).await.unwrap_or_default());
    }
    if !texts.contains("credential_source") {
        environment.retain(|name, _| !name.starts_with("AWS_CONTAINER_CREDENTIALS_"));
        environment.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
    }
    environment
}

/// The region of the profile in use, if its file names one.
pub(crate) async fn region(options: &AwsOptions) -> Option<String> {
    value(options, "region").await
}

/// The value of a key of the profile in use, if its files have one.
pub(crate) async fn value(options: &AwsOptions, key: &str) -> Option<String> {
    let profile = in_use(options).unwrap_or("default");
    for path in files(options).into_iter().flatten() {
        if let Ok(text) = tokio::fs::read_to_string(&path).await
            && let Some(value) = value_in(&text, profile, key)
        {
            return Some(value);
        }
    }
    None
}

/// The profile that this line begins.
fn header(line: &str) -> Option<&str> {
    let name = line.strip_prefix('[')?.split(']').next()?.trim();
    Some(name.strip_prefix("profile ").map_or(name, str::trim))
}

fn value_in(text: &str, profile: &str, wanted: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = header(line) == Some(profile);
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == wanted
        {
            let value = value.trim();
            return (!value.is_empty()).then(|| value.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::value_in;

    #[test]
    fn the_region_is_the_one_of_the_profile_asked_for() {
        let text =
            "[default]\nregion = eu-west-1\n[profile ci]\noutput=json\nregion=us-west-2\n[sso-session x]\nregion=y\n";
        assert_eq!(value_in(text, "default", "region").as_deref(), Some("eu-west-1"));
        assert_eq!(value_in(text, "ci", "region").as_deref(), Some("us-west-2"));
        assert_eq!(value_in(text, "none", "region"), None);
    }
}
