//! CORS and lifecycle as documents: XML for the store, JSON in the shape of the AWS command line for people. What this
//! table does not know is refused both ways, because a setting that is read, changed and written must not lose a part.

use http::Method;
use serde_json::{Map, Value};

use super::{NAMESPACE, Owner, absent};
use crate::client::Client;
use crate::client::xml::{Element, push_text};
use crate::error::{ErrorKind, S3Error, text};

/// A setting of a bucket that is one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Who may read the bucket from a web page (PutBucketCors).
    Cors,
    /// What happens to objects as they age (PutBucketLifecycleConfiguration).
    Lifecycle,
}

/// One element: its name in XML and in JSON, and what is in it.
struct Field {
    xml: &'static str,
    json: &'static str,
    shape: Shape,
    many: bool,
}

enum Shape {
    Text,
    Number,
    Truth,
    Fields(&'static [Field]),
}

const fn one(name: &'static str, shape: Shape) -> Field {
    Field { xml: name, json: name, shape, many: false }
}

const fn many(xml: &'static str, json: &'static str, shape: Shape) -> Field {
    Field { xml, json, shape, many: true }
}

const CORS: &[Field] = &[many(
    "CORSRule",
    "CORSRules",
    Shape::Fields(&[
        one("ID", Shape::Text),
        many("AllowedHeader", "AllowedHeaders", Shape::Text),
        many("AllowedMethod", "AllowedMethods", Shape::Text),
        many("AllowedOrigin", "AllowedOrigins", Shape::Text),
        many("ExposeHeader", "ExposeHeaders", Shape::Text),
        one("MaxAgeSeconds", Shape::Number),
    ]),
)];

const TAG: &[Field] = &[one("Key", Shape::Text), one("Value", Shape::Text)];

const LIFECYCLE: &[Field] = &[many(
    "Rule",
    "Rules",
    Shape::Fields(&[
        one("ID", Shape::Text),
        one("Prefix", Shape::Text),
        one("Status", Shape::Text),
        one(
            "Filter",
            Shape::Fields(&[
                one("Prefix", Shape::Text),
                one("Tag", Shape::Fields(TAG)),
                one("ObjectSizeGreaterThan", Shape::Number),
                one("ObjectSizeLessThan", Shape::Number),
                one(
                    "And",
                    Shape::Fields(&[
                        one("Prefix", Shape::Text),
                        many("Tag", "Tags", Shape::Fields(TAG)),
                        one("ObjectSizeGreaterThan", Shape::Number),
                        one("ObjectSizeLessThan", Shape::Number),
                    ]),
                ),
            ]),
        ),
        one(
            "Expiration",
            Shape::Fields(&[
                one("Date", Shape::Text),
                one("Days", Shape::Number),
                one("ExpiredObjectDeleteMarker", Shape::Truth),
            ]),
        ),
        many(
            "Transition",
            "Transitions",
            Shape::Fields(&[one("Date", Shape::Text), one("Days", Shape::Number), one("StorageClass", Shape::Text)]),
        ),
        many(
            "NoncurrentVersionTransition",
            "NoncurrentVersionTransitions",
            Shape::Fields(&[
                one("NoncurrentDays", Shape::Number),
                one("StorageClass", Shape::Text),
                one("NewerNoncurrentVersions", Shape::Number),
            ]),
        ),
        one(
            "NoncurrentVersionExpiration",
            Shape::Fields(&[one("NoncurrentDays", Shape::Number), one("NewerNoncurrentVersions", Shape::Number)]),
        ),
        one("AbortIncompleteMultipartUpload", Shape::Fields(&[one("DaysAfterInitiation", Shape::Number)])),
    ]),
)];

impl Setting {
    fn query(self) -> &'static str {
        match self {
            Self::Cors => "cors",
            Self::Lifecycle => "lifecycle",
        }
    }

    fn root(self) -> &'static str {
        match self {
            Self::Cors => "CORSConfiguration",
            Self::Lifecycle => "LifecycleConfiguration",
        }
    }

    fn fields(self) -> &'static [Field] {
        match self {
            Self::Cors => CORS,
            Self::Lifecycle => LIFECYCLE,
        }
    }

    /// What a file says, JSON or XML, as JSON.
    ///
    /// # Errors
    /// [`S3Error::Usage`]: neither of the two, or something in it that is not known.
    pub fn read(self, file: &str) -> Result<Value, S3Error> {
        let value = if file.trim_start().starts_with('<') {
            let root = Element::parse(file.as_bytes()).filter(|root| root.name == self.root());
            let root = root.ok_or_else(|| misshapen(format!("the file is no `{}` document", self.root())))?;
            json(&root, self.fields()).map_err(|name| unknown(&name))?
        } else {
            serde_json::from_str(file).map_err(|error| misshapen(format!("the file is not JSON: {error}")))?
        };
        self.document(&value).map(|_| value)
    }

    /// The document for the store.
    fn document(self, value: &Value) -> Result<String, S3Error> {
        let mut out = format!("<{} xmlns=\"{NAMESPACE}\">", self.root());
        xml(&mut out, value, self.fields(), self.root())?;
        out.push_str(&format!("</{}>", self.root()));
        Ok(out)
    }
}

impl Client {
    /// A setting, as JSON; `None` where there is none.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Unsupported` when the store's document holds what is not known here.
    pub async fn setting(&self, bucket: &str, setting: Setting) -> Result<Option<Value>, S3Error> {
        let call = Owner::Bucket(bucket).call(Method::GET, setting.query())?;
        let codes = ["NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration", "NoSuchCORSConfigurationError"];
        let Some(answer) = absent(self.0.whole(&call).await, &codes)? else { return Ok(None) };
        let root = answer.document(setting.root())?;
        let value = json(&root, setting.fields()).map_err(|name| {
            let message = format!("the store's document has `{}`, which is not known here", text::code(&name));
            S3Error::refused(ErrorKind::Unsupported, "unknown_element", message, "use a newer hallpass")
        })?;
        Ok(Some(value))
    }

    /// Replaces a setting.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Usage` for what the document cannot hold.
    pub async fn set_setting(&self, bucket: &str, setting: Setting, value: &Value) -> Result<(), S3Error> {
        let document = setting.document(value)?;
        self.0.put_setting(Owner::Bucket(bucket), setting.query(), document).await
    }

    /// Removes a setting; that there is none is no error.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn remove_setting(&self, bucket: &str, setting: Setting) -> Result<(), S3Error> {
        self.0.whole(&Owner::Bucket(bucket).call(Method::DELETE, setting.query())?).await.map(drop)
    }

    /// A bucket's policy, JSON; `None` where there is none.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn policy(&self, bucket: &str) -> Result<Option<Value>, S3Error> {
        let call = Owner::Bucket(bucket).call(Method::GET, "policy")?;
        let Some(answer) = absent(self.0.whole(&call).await, &["NoSuchBucketPolicy"])? else { return Ok(None) };
        let value: Value = serde_json::from_slice(&answer.bytes)
            .map_err(|_| S3Error::Integrity(format!("the policy of `{}` is not JSON", text::cleaned_name(bucket))))?;
        Ok(Some(value))
    }

    /// Replaces a bucket's policy.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn set_policy(&self, bucket: &str, policy: &Value) -> Result<(), S3Error> {
        self.0.put_setting(Owner::Bucket(bucket), "policy", policy.to_string()).await
    }

    /// Removes a bucket's policy; that there is none is no error.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn remove_policy(&self, bucket: &str) -> Result<(), S3Error> {
        let call = Owner::Bucket(bucket).call(Method::DELETE, "policy")?;
        absent(self.0.whole(&call).await, &["NoSuchBucketPolicy"]).map(drop)
    }
}

/// XML as JSON; fails with the name of what is not known.
fn json(element: &Element, fields: &[Field]) -> Result<Value, String> {
    let mut object = Map::new();
    for child in element.children() {
        let field = fields.iter().find(|field| field.xml == child.name).ok_or_else(|| child.name.clone())?;
        let value = match &field.shape {
            Shape::Text => Value::from(child.text()),
            Shape::Number => Value::from(child.text().trim().parse::<u64>().map_err(|_| child.name.clone())?),
            Shape::Truth => Value::from(child.text().trim().eq_ignore_ascii_case("true")),
            Shape::Fields(inner) => json(child, inner)?,
        };
        if !field.many {
            object.insert(field.json.to_owned(), value);
            continue;
        }
        let list = object.entry(field.json).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
    Ok(Value::Object(object))
}

/// JSON as XML, in the order of the table, which is that of the schema.
fn xml(out: &mut String, value: &Value, fields: &[Field], place: &str) -> Result<(), S3Error> {
    let Value::Object(object) = value else {
        return Err(misshapen(format!("`{place}` must be an object")));
    };
    if let Some(name) = object.keys().find(|name| fields.iter().all(|field| field.json != name.as_str())) {
        return Err(unknown(&format!("{place}.{name}")));
    }
    for field in fields {
        let Some(value) = object.get(field.json) else { continue };
        let place = format!("{place}.{}", field.json);
        let values = match (field.many, value) {
            (true, Value::Array(values)) => values.as_slice(),
            (true, _) => return Err(misshapen(format!("`{place}` must be a list"))),
            (false, value) => std::slice::from_ref(value),
        };
        for value in values {
            out.push_str(&format!("<{}>", field.xml));
            match (&field.shape, value) {
                (Shape::Text, Value::String(text)) => push_text(out, text),
                (Shape::Number, Value::Number(number)) if number.is_u64() => out.push_str(&number.to_string()),
                (Shape::Truth, Value::Bool(truth)) => out.push_str(if *truth { "true" } else { "false" }),
                (Shape::Fields(inner), value) => xml(out, value, inner, &place)?,
                _ => return Err(misshapen(format!("`{place}` has a value of another kind than it must have"))),
            }
            out.push_str(&format!("</{}>", field.xml));
        }
    }
    Ok(())
}

fn misshapen(message: String) -> S3Error {
    S3Error::usage_with(message, "write it as the AWS command line does: `cors get` and `lifecycle export` print it so")
}

fn unknown(name: &str) -> S3Error {
    let message = format!("`{}` is not known in this document", text::cleaned_name(name));
    S3Error::usage_with(message, "write it as the AWS command line does; names have capital letters")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Setting;

    #[test]
    fn a_lifecycle_survives_the_way_to_xml_and_back() {
        let value = json!({"Rules": [{
            "ID": "old & <odd>", "Status": "Enabled",
            "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": ""}], "ObjectSizeGreaterThan": 5}},
            "Expiration": {"Days": 30}, "Transitions": [{"Days": 3, "StorageClass": "GLACIER"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]});
        let xml = Setting::Lifecycle.document(&value).expect("a document");
        assert!(xml.contains("<ID>old &amp; &lt;odd&gt;</ID>"), "{xml}");
        assert_eq!(Setting::Lifecycle.read(&xml).expect("reads"), value);
        let cors =
            json!({"CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 9}]});
        assert_eq!(Setting::Cors.read(&cors.to_string()).expect("reads"), cors);
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_dropped() {
        let refused = |text: &str| Setting::Cors.read(text).expect_err(text).to_string();
        assert!(refused(r#"{"CORSRules":[{"AllowedVerbs":[]}]}"#).contains("CORSRules.AllowedVerbs"));
        assert!(refused("<CORSConfiguration><CORSRule><New>1</New></CORSRule></CORSConfiguration>").contains("New"));
        assert!(refused(r#"{"CORSRules":[{"MaxAgeSeconds":"9"}]}"#).contains("another kind"));
        assert!(refused(r#"{"CORSRules":{}}"#).contains("list"));
        assert!(refused("[]").contains("must be an object"));
        for text in ["[]", "no", "<Other/>", r#"{"CORSRules":{}}"#] {
            let next = Setting::Cors.read(text).expect_err(text);
            assert!(next.suggestion().is_some_and(|next| next.contains("`cors get`")), "{text}");
        }
        assert!(refused("<Other/>").contains("CORSConfiguration") && refused("no").contains("not JSON"));
    }
}
