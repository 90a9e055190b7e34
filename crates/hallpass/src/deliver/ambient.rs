//! Every variable by which a cloud tool finds an identity, or is pointed at one: none of them reaches a child.
//!
//! Sources: the SDKs' reference guides ("Environment variables" of the AWS SDKs and Tools Reference Guide, Google's
//! "Application Default Credentials", azure-identity's `EnvironmentCredential`), and the tools' own manuals.

use std::ffi::{OsStr, OsString};

/// What a variable is to an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Holds a secret. Our own process gives it up too, before anything else runs.
    Secret,
    /// Leads to a credential: a file, a profile, a role.
    Source,
    /// Sends requests past the gate. Kept when there is no gate.
    Route,
    /// Steers `hallpass` itself.
    Control,
}

/// Which names a rule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// This one.
    Is(&'static str),
    /// All that begin so.
    Begins(&'static str),
}

/// One rule of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Which names.
    pub(crate) name: Name,
    /// What they are.
    pub(crate) class: Class,
    /// Whose they are and what they do.
    pub(crate) reason: &'static str,
}

const fn rule(name: Name, class: Class, reason: &'static str) -> Rule {
    Rule { name, class, reason }
}

use Class::{Control, Route, Secret, Source};
use Name::{Begins, Is};

/// The table. The first rule that matches decides, so a name stands before the prefix that would cover it. What a
/// prefix covers and no rule names is taken for a secret.
pub(crate) const RULES: &[Rule] = &[
    // AWS
    rule(Is("AWS_ACCESS_KEY_ID"), Secret, "AWS SDKs: half of a key pair"),
    rule(Is("AWS_SECRET_ACCESS_KEY"), Secret, "AWS SDKs: half of a key pair"),
    rule(Is("AWS_SESSION_TOKEN"), Secret, "AWS SDKs: token of a temporary key pair"),
    rule(Is("AWS_SECURITY_TOKEN"), Secret, "older AWS SDKs: token of a temporary key pair"),
    rule(Is("AWS_ACCESS_KEY"), Secret, "older Java tools: half of a key pair"),
    rule(Is("AWS_SECRET_KEY"), Secret, "older Java tools: half of a key pair"),
    rule(Is("AWS_DELEGATION_TOKEN"), Secret, "older EC2 tools: token"),
    rule(Begins("AWS_BEARER_TOKEN"), Secret, "AWS SDKs: API keys of single services"),
    rule(Is("AWS_CREDENTIAL_EXPIRATION"), Source, "AWS SDKs: end of a key pair that is gone"),
    rule(Is("AWS_SESSION_EXPIRATION"), Source, "aws-vault: end of a key pair that is gone"),
    rule(Is("AWS_CREDENTIAL_FILE"), Source, "boto 2: credentials file"),
    rule(Is("AWS_PROFILE"), Source, "AWS SDKs: profile to sign in with"),
    rule(Is("AWS_DEFAULT_PROFILE"), Source, "AWS CLI: profile to sign in with"),
    rule(Is("AWS_EB_PROFILE"), Source, "EB CLI: profile to sign in with"),
    rule(Is("AWS_CONFIG_FILE"), Source, "AWS SDKs: config file"),
    rule(Is("AWS_SHARED_CREDENTIALS_FILE"), Source, "AWS SDKs: credentials file"),
    rule(Begins("AWS_ROLE_"), Source, "AWS SDKs: role of a web identity"),
    rule(Begins("AWS_WEB_IDENTITY_"), Source, "AWS SDKs: token file of a web identity"),
    rule(Is("AWS_CONTAINER_AUTHORIZATION_TOKEN"), Secret, "AWS SDKs: token of the container credentials endpoint"),
    rule(
        Begins("AWS_CONTAINER_CREDENTIALS_"),
        Secret,
        "AWS SDKs: container credentials endpoint; who knows it, has it",
    ),
    rule(Begins("AWS_CONTAINER_"), Source, "AWS SDKs: container credentials endpoint"),
    rule(Begins("AWS_EC2_METADATA_"), Source, "AWS SDKs: instance metadata"),
    rule(Is("AWS_METADATA_SERVICE_TIMEOUT"), Source, "AWS CLI: instance metadata"),
    rule(Is("AWS_METADATA_SERVICE_NUM_ATTEMPTS"), Source, "AWS CLI: instance metadata"),
    rule(Begins("AWS_SSO_"), Source, "AWS SSO tools: sign-in"),
    rule(Begins("AWS_LOGIN_"), Source, "AWS CLI: cache of `aws login`"),
    rule(Begins("AWS_MFA_"), Source, "role helpers: MFA device"),
    rule(Begins("AWS_ASSUME_ROLE_"), Source, "role helpers: role to assume"),
    rule(Begins("AWS_VAULT"), Source, "aws-vault: its own session and back end"),
    rule(Begins("AWSUME_"), Source, "awsume: its own session"),
    rule(Begins("GRANTED_"), Source, "granted: its own session"),
    rule(Begins("AWS_ENDPOINT_URL"), Route, "AWS SDKs: endpoint of all or of one service"),
    rule(Is("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), Route, "AWS SDKs: forget the endpoint that leads to the gate"),
    rule(Is("AWS_USE_FIPS_ENDPOINT"), Route, "AWS SDKs: cannot be combined with an endpoint of one's own"),
    rule(Is("AWS_USE_DUALSTACK_ENDPOINT"), Route, "AWS SDKs: cannot be combined with an endpoint of one's own"),
    rule(Begins("BOTO_"), Source, "boto 2 and gsutil: config files"),
    // S3-compatible stores and their tools
    rule(Is("S3_ACCESS_KEY"), Secret, "S3 tools"),
    rule(Is("S3_ACCESS_KEY_ID"), Secret, "S3 tools"),
    rule(Is("S3_SECRET_KEY"), Secret, "S3 tools"),
    rule(Is("S3_SECRET_ACCESS_KEY"), Secret, "S3 tools"),
    rule(Is("S3_SESSION_TOKEN"), Secret, "S3 tools"),
    rule(Is("S3_ENDPOINT"), Route, "S3 tools: endpoint"),
    rule(Is("S3_ENDPOINT_URL"), Route, "s5cmd: endpoint"),
    rule(Is("S3CMD_CONFIG"), Source, "s3cmd: config file with keys"),
    rule(Begins("MC_HOST_"), Secret, "mc: URL with keys in it"),
    rule(Begins("RC_HOST_"), Secret, "rc: URL with keys in it"),
    rule(Begins("MC_"), Source, "mc: config files with keys"),
    rule(Begins("MINIO_"), Secret, "MinIO: keys"),
    rule(Is("RCLONE_CONFIG"), Source, "rclone: config file with keys"),
    rule(Begins("RCLONE_"), Secret, "rclone: remotes with keys, its password"),
    rule(Begins("B2_"), Secret, "Backblaze B2: keys"),
    rule(Begins("SPACES_"), Secret, "DigitalOcean Spaces: keys"),
    rule(Begins("WASABI_"), Secret, "Wasabi: keys"),
    // Google Cloud
    rule(Is("GOOGLE_APPLICATION_CREDENTIALS"), Source, "Google SDKs: credentials file"),
    rule(Begins("GOOGLE_CLOUD_PROJECT"), Source, "Google SDKs: project"),
    rule(Begins("GOOGLE_"), Secret, "Google SDKs and Terraform: keys, tokens, files"),
    rule(Is("CLOUDSDK_CONFIG"), Source, "gcloud: config folder"),
    rule(Begins("CLOUDSDK_CORE_"), Source, "gcloud: account, project, certificates"),
    rule(Begins("CLOUDSDK_COMPUTE_"), Source, "gcloud: region and zone"),
    rule(Begins("CLOUDSDK_PYTHON"), Source, "gcloud: its interpreter"),
    rule(Begins("CLOUDSDK_"), Secret, "gcloud: tokens and passwords"),
    rule(Begins("GCE_METADATA_"), Source, "Google SDKs: metadata server"),
    rule(Is("GCLOUD_PROJECT"), Source, "Google tools: project"),
    rule(Begins("GCLOUD_"), Secret, "Google tools: keys and tokens"),
    rule(Begins("GCP_PROJECT"), Source, "CI recipes: project"),
    rule(Begins("GCP_"), Secret, "CI recipes: service-account keys"),
    rule(Is("NO_GCE_CHECK"), Source, "google-auth: metadata server"),
    rule(Is("FIREBASE_TOKEN"), Secret, "Firebase CLI: token"),
    // Azure
    rule(Is("AZURE_CONFIG_DIR"), Source, "Azure CLI: config folder"),
    rule(Is("AZURE_SUBSCRIPTION_ID"), Source, "Azure SDKs: subscription"),
    rule(Is("AZURE_TENANT_ID"), Source, "Azure SDKs: tenant"),
    rule(Is("AZURE_CLIENT_ID"), Source, "Azure SDKs: application"),
    rule(Is("AZURE_FEDERATED_TOKEN_FILE"), Source, "Azure SDKs: token file of a web identity"),
    rule(Begins("AZURE_"), Secret, "Azure SDKs: secrets, certificates, token files"),
    rule(Is("ARM_SUBSCRIPTION_ID"), Source, "Terraform for Azure: subscription"),
    rule(Is("ARM_TENANT_ID"), Source, "Terraform for Azure: tenant"),
    rule(Is("ARM_CLIENT_ID"), Source, "Terraform for Azure: application"),
    rule(Begins("ARM_"), Secret, "Terraform for Azure: secrets"),
    rule(Begins("MSI_"), Secret, "Azure managed identity: endpoint and its secret"),
    rule(Begins("IDENTITY_"), Secret, "Azure managed identity: endpoint and its header"),
    rule(Is("IMDS_ENDPOINT"), Source, "Azure Arc: metadata endpoint"),
    rule(Begins("AZCOPY_"), Secret, "azcopy: secrets"),
    // Kubernetes
    rule(Is("KUBECONFIG"), Source, "Kubernetes clients: config file"),
    rule(Begins("KUBERNETES_SERVICE_"), Source, "Kubernetes clients: the pod's own account"),
    rule(Begins("KUBE_"), Secret, "Terraform and Helm plugins: tokens and config files"),
    rule(Begins("HELM_KUBE"), Secret, "Helm: token, user, config"),
    // secret stores, from which all of the above can be had
    rule(Is("VAULT_ADDR"), Source, "Vault: address"),
    rule(Is("BAO_ADDR"), Source, "OpenBao: address"),
    rule(Begins("VAULT_"), Secret, "Vault: token"),
    rule(Begins("BAO_"), Secret, "OpenBao: token"),
    rule(Begins("OP_SERVICE_ACCOUNT_"), Secret, "1Password CLI: token"),
    rule(Begins("OP_SESSION_"), Secret, "1Password CLI: token"),
    rule(Is("DOPPLER_TOKEN"), Secret, "Doppler: token"),
    rule(Begins("INFISICAL_"), Secret, "Infisical: token"),
    // tokens of CI systems that clouds accept in exchange for a role
    rule(Begins("ACTIONS_ID_TOKEN_REQUEST_"), Secret, "GitHub Actions: identity token endpoint"),
    rule(Begins("CI_JOB_JWT"), Secret, "GitLab: identity token"),
    rule(Is("BITBUCKET_STEP_OIDC_TOKEN"), Secret, "Bitbucket: identity token"),
    rule(Begins("CIRCLE_OIDC_TOKEN"), Secret, "CircleCI: identity token"),
    rule(Is("BUILDKITE_AGENT_ACCESS_TOKEN"), Secret, "Buildkite: asks for identity tokens"),
    rule(Is("SYSTEM_ACCESSTOKEN"), Secret, "Azure Pipelines: asks for identity tokens"),
    rule(Begins("TFC_WORKLOAD_IDENTITY_TOKEN"), Secret, "Terraform Cloud: identity token"),
    rule(Begins("TF_TOKEN_"), Secret, "Terraform: registry tokens"),
    rule(Is("SPACELIFT_OIDC_TOKEN"), Secret, "Spacelift: identity token"),
    // our own
    rule(Begins("HALLPASS_HOST_"), Secret, "hallpass s3: URL with keys in it"),
    rule(Begins("HALLPASS_"), Control, "hallpass itself"),
    rule(Is("AUDEX_HMAC_KEY"), Secret, "key of another broker's audit log"),
];

/// The rule for a name, if there is one. Names that are not text match no rule: no tool asks for them.
pub(crate) fn rule_for(name: &OsStr) -> Option<&'static Rule> {
    let name = name.to_str()?;
    RULES.iter().find(|rule| match rule.name {
        Is(exact) => name == exact,
        Begins(prefix) => name.starts_with(prefix),
    })
}

/// The class of a variable, if the table knows it.
pub(crate) fn class_of(name: &OsStr) -> Option<Class> {
    rule_for(name).map(|rule| rule.class)
}

/// True when an environment holds a secret that the table names.
pub(crate) fn holds_secret<'a>(names: impl IntoIterator<Item = &'a OsString>) -> bool {
    names.into_iter().any(|name| class_of(name) == Some(Secret))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsStr;

    use super::{Class, Name, RULES, class_of};

    #[test]
    fn no_rule_is_shadowed_by_one_before_it() {
        for (index, rule) in RULES.iter().enumerate() {
            let (Name::Is(own) | Name::Begins(own)) = rule.name;
            for before in &RULES[..index] {
                let shadowed = match before.name {
                    Name::Is(exact) => rule.name == Name::Is(exact),
                    Name::Begins(prefix) => own.starts_with(prefix),
                };
                assert!(!shadowed, "{own} never matches, {:?} comes first", before.name);
            }
            assert!(!rule.reason.is_empty());
        }
    }

    #[test]
    fn what_a_child_needs_is_left_alone() {
        for name in ["PATH", "HOME", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_PAGER", "TERM", "LANG"] {
            assert_eq!(class_of(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn every_name_of_the_reference_list_is_covered() {
        let names = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_SECURITY_TOKEN",
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_ROLE_ARN",
            "AWS_ROLE_SESSION_NAME",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "AWS_EC2_METADATA_DISABLED",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_OAUTH_ACCESS_TOKEN",
            "CLOUDSDK_CONFIG",
            "CLOUDSDK_AUTH_ACCESS_TOKEN",
            "GCE_METADATA_HOST",
            "AZURE_CLIENT_SECRET",
            "AZURE_CONFIG_DIR",
            "ARM_CLIENT_SECRET",
            "MSI_ENDPOINT",
            "IDENTITY_HEADER",
            "VAULT_TOKEN",
            "KUBECONFIG",
            "MC_HOST_x",
            "RC_HOST_x",
            "HALLPASS_HOST_x",
            "RCLONE_CONFIG_X_SECRET_ACCESS_KEY",
            "BOTO_CONFIG",
            "HALLPASS_CONFIG",
            "HALLPASS_SESSION_ID",
        ];
        let unknown: BTreeSet<_> = names.into_iter().filter(|name| class_of(OsStr::new(name)).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(class_of(OsStr::new("AWS_ENDPOINT_URL_S3")), Some(Class::Route));
    }
}
