//! Condition keys of single services that repeat a parameter of the request. A parameter that is not given leaves its
//! key unknown, because the service may have a default for it.
//! Source: Service Authorization Reference, "Condition keys" of each service.

use super::catalog::Found;
use super::json::Json;
use super::resource::Given;
use crate::denial::Denial;
use crate::limits::REQUEST_TAGS_MAX;
use crate::policy::Context;

/// Id of the API, its operations, the key, the parameter at the top.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("ec2", "RunInstances", "ec2:InstanceType", "InstanceType"),
    ("kms", "CreateGrant", "kms:GranteePrincipal", "GranteePrincipal"),
    ("kms", "CreateGrant", "kms:RetiringPrincipal", "RetiringPrincipal"),
    ("kms", "CreateKey", "kms:KeyUsage", "KeyUsage"),
    ("kms", "CreateKey", "kms:KeySpec", "KeySpec"),
    ("kms", "Encrypt Decrypt", "kms:EncryptionAlgorithm", "EncryptionAlgorithm"),
    ("kms", "Sign Verify", "kms:SigningAlgorithm", "SigningAlgorithm"),
    ("kms", "Sign Verify", "kms:MessageType", "MessageType"),
    ("secretsmanager", "CreateSecret", "secretsmanager:Name", "Name"),
    ("secretsmanager", "CreateSecret UpdateSecret", "secretsmanager:KmsKeyId", "KmsKeyId"),
    ("secretsmanager", "GetSecretValue", "secretsmanager:VersionId", "VersionId"),
    ("secretsmanager", "GetSecretValue UpdateSecretVersionStage", "secretsmanager:VersionStage", "VersionStage"),
    ("secretsmanager", "RotateSecret", "secretsmanager:RotationLambdaARN", "RotationLambdaARN"),
    ("sns", "Subscribe", "sns:Endpoint", "Endpoint"),
    ("sns", "Subscribe", "sns:Protocol", "Protocol"),
    ("sts", "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity", "sts:RoleSessionName", "RoleSessionName"),
    ("sts", "AssumeRole", "sts:ExternalId", "ExternalId"),
    ("sts", "AssumeRole", "sts:SourceIdentity", "SourceIdentity"),
];

/// Operations of KMS that take one encryption context.
const ENCRYPTS: [&str; 6] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
];

/// Sets the keys that the request carries.
///
/// # Errors
/// For a parameter that stands there twice, in another case.
pub(super) fn keys(operation: &Found, given: &Given<'_>, context: &mut Context) -> Result<(), Denial> {
    let (id, name) = (operation.api.id, operation.name());
    let own = KEYS.iter().filter(|(api, names, ..)| *api == id && names.split(' ').any(|one| one == name));
    for (_, _, key, parameter) in own {
        if let Some(text) = given.text(parameter)? {
            context.set(key, text);
        }
    }
    if let Given::Json(body) = given
        && id == "kms"
        && ENCRYPTS.contains(&name)
    {
        encryption_context(body, context);
    }
    Ok(())
}

/// `kms:EncryptionContext:KEY`, and all of its keys. A twin in another case leaves them unknown.
fn encryption_context(body: &Json, context: &mut Context) {
    const MEMBER: &str = "EncryptionContext";
    if body.members().iter().any(|(name, _)| name != MEMBER && name.eq_ignore_ascii_case(MEMBER)) {
        return;
    }
    let Some(pairs) = body.get(MEMBER) else { return context.set_absent("kms:EncryptionContextKeys") };
    let pairs: Option<Vec<(&String, &str)>> =
        pairs.members().iter().map(|(key, value)| Some((key, value.text()?))).collect();
    let Some(pairs) = pairs.filter(|pairs| (1..=REQUEST_TAGS_MAX).contains(&pairs.len())) else { return };
    let folded: std::collections::BTreeSet<String> = pairs.iter().map(|(key, _)| key.to_ascii_lowercase()).collect();
    if folded.len() != pairs.len() {
        return;
    }
    for (key, value) in &pairs {
        context.set(&format!("kms:EncryptionContext:{key}"), *value);
    }
    context.set_all("kms:EncryptionContextKeys", pairs.into_iter().map(|(key, _)| key.clone()).collect());
}
