//! The little that is read of `~/.aws` without the SDK's help: is there a profile, and does it name a region.

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

/// The region of the profile in use, if its file names one.
pub(crate) async fn region(options: &AwsOptions) -> Option<String> {
    value(options, "region").await
}

/// The value of a key of the profile in use, if its files have one.
pub(crate) async fn value(options: &AwsOptions, key: &str) -> Option<String> {
    let profile = options.profile.as_deref().or_else(|| options.variable("AWS_PROFILE")).unwrap_or("default");
    for path in files(options).into_iter().flatten() {
        if let Ok(text) = tokio::fs::read_to_string(&path).await
            && let Some(value) = value_in(&text, profile, key)
        {
            return Some(value);
        }
    }
    None
}

fn value_in(text: &str, profile: &str, wanted: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = header.trim();
            inside = name.strip_prefix("profile ").map_or(name, str::trim) == profile;
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
