//! What everybody may do with a bucket, in one word: policies that people write again and again.

use serde_json::{Value, json};

/// What everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymous {
    /// List the bucket and read objects.
    Download,
    /// Write objects, not read them.
    Upload,
    /// Both. Nobody without keys ever deletes.
    Public,
}

const LIST: [&str; 2] = ["s3:GetBucketLocation", "s3:ListBucket"];
const READ: [&str; 1] = ["s3:GetObject"];
const WRITE: [&str; 3] = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"];

impl Anonymous {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Public => "public",
        }
    }

    /// The bucket policy that says so.
    pub fn policy(self, bucket: &str) -> Value {
        let on = |actions: &[&str], resource: String| json!({"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": actions, "Resource": [resource]});
        let (whole, below) = (format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*"));
        let statements = match self {
            Self::Download => vec![on(&LIST, whole), on(&READ, below)],
            Self::Upload => vec![on(&WRITE, below)],
            Self::Public => vec![on(&LIST, whole), on(&[READ.as_slice(), &WRITE].concat(), below)],
        };
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// The word for a policy; `None` for one that somebody wrote.
    pub fn of(policy: &Value, bucket: &str) -> Option<Self> {
        [Self::Download, Self::Upload, Self::Public].into_iter().find(|word| {
            let own = word.policy(bucket);
            plain(&own["Statement"]) == plain(&policy["Statement"])
        })
    }
}

/// Stores write a policy back in their own way: `*` for `{"AWS": ["*"]}`, one text for a list of one, names of statements.
fn plain(statements: &Value) -> Option<Vec<String>> {
    let list = |value: &Value| {
        let mut texts: Vec<String> = match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(texts) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            _ => return None,
        };
        texts.sort_unstable();
        Some(texts.join(","))
    };
    let mut all = Vec::new();
    for statement in statements.as_array()? {
        let known = ["Sid", "Effect", "Principal", "Action", "Resource"];
        if statement.as_object()?.keys().any(|name| !known.contains(&name.as_str())) {
            return None;
        }
        let principal = list(&statement["Principal"]).or_else(|| list(&statement["Principal"]["AWS"]))?;
        let (action, resource) = (list(&statement["Action"])?, list(&statement["Resource"])?);
        all.push(format!("{} {principal} {action} {resource}", statement["Effect"]));
    }
    all.sort_unstable();
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Anonymous;

    #[test]
    fn a_policy_is_known_again_however_a_store_writes_it() {
        let policy = json!({"Version": "2012-10-17", "Id": "x", "Statement": [
            {"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
             "Resource": ["arn:aws:s3:::b"]}]});
        assert_eq!(Anonymous::of(&policy, "b"), Some(Anonymous::Download));
        assert_eq!(Anonymous::of(&policy, "other"), None);
    }

    #[test]
    fn a_policy_with_more_in_it_is_somebodys_own() {
        for word in [Anonymous::Download, Anonymous::Upload, Anonymous::Public] {
            let own = word.policy("b");
            assert_eq!(Anonymous::of(&own, "b"), Some(word));
            let mut other = own.clone();
            other["Statement"][0]["Condition"] = json!({});
            assert_eq!(Anonymous::of(&other, "b"), None);
            assert!(!own.to_string().contains("Delete"), "nobody without keys deletes");
        }
    }
}
