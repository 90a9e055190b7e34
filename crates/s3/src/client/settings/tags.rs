//! Tags of buckets and objects (PutObjectTagging, PutBucketTagging and their kin).

use http::Method;

use hallpass_core::limits::{S3_BUCKET_TAGS_MAX, S3_OBJECT_TAGS_MAX, S3_TAG_NAME_CHARS_MAX, S3_TAG_VALUE_CHARS_MAX};

use super::{NAMESPACE, Owner, absent};
use crate::client::object::ObjectId;
use crate::client::xml::{is_xml_text, push_text};
use crate::client::{Client, xml::Element};
use crate::error::{S3Error, text};

/// Names and values, in the order of the store.
pub type Tags = Vec<(String, String)>;

impl Client {
    /// The tags of an object; none are an empty list.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn object_tags(&self, object: &ObjectId) -> Result<Tags, S3Error> {
        self.tags(Owner::Object(object)).await
    }

    /// Replaces all tags of an object.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Usage` for more than [`S3_OBJECT_TAGS_MAX`] or for one that cannot be.
    pub async fn set_object_tags(&self, object: &ObjectId, tags: &Tags) -> Result<(), S3Error> {
        check_tags(tags, S3_OBJECT_TAGS_MAX)?;
        self.0.put_setting(Owner::Object(object), "tagging", document(tags)).await
    }

    /// Removes all tags of an object.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn remove_object_tags(&self, object: &ObjectId) -> Result<(), S3Error> {
        self.0.whole(&Owner::Object(object).call(Method::DELETE, "tagging")?).await.map(drop)
    }

    /// The tags of a bucket; none are an empty list.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn bucket_tags(&self, bucket: &str) -> Result<Tags, S3Error> {
        self.tags(Owner::Bucket(bucket)).await
    }

    /// Replaces all tags of a bucket.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Usage` for more than [`S3_BUCKET_TAGS_MAX`] or for one that cannot be.
    pub async fn set_bucket_tags(&self, bucket: &str, tags: &Tags) -> Result<(), S3Error> {
        check_tags(tags, S3_BUCKET_TAGS_MAX)?;
        self.0.put_setting(Owner::Bucket(bucket), "tagging", document(tags)).await
    }

    /// Removes all tags of a bucket.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn remove_bucket_tags(&self, bucket: &str) -> Result<(), S3Error> {
        self.0.whole(&Owner::Bucket(bucket).call(Method::DELETE, "tagging")?).await.map(drop)
    }

    async fn tags(&self, owner: Owner<'_>) -> Result<Tags, S3Error> {
        let call = owner.call(Method::GET, "tagging")?;
        let Some(answer) = absent(self.0.whole(&call).await, &["NoSuchTagSet", "NoSuchTagSetError"])? else {
            return Ok(Tags::new());
        };
        let root = answer.document("Tagging")?;
        let pair = |tag: &Element| {
            let value = |name| tag.value(name).unwrap_or_default().to_owned();
            (value("Key"), value("Value"))
        };
        Ok(root.first("TagSet").into_iter().flat_map(|set| set.all("Tag")).map(pair).collect())
    }
}

/// Checks tags before they are sent (Amazon S3 User Guide, "Categorizing your objects using tags").
///
/// # Errors
/// [`S3Error::Usage`]: too many, one twice, too long, or not XML.
pub fn check_tags(tags: &Tags, count_max: usize) -> Result<(), S3Error> {
    if tags.len() > count_max {
        return Err(S3Error::usage(format!("{} tags: at most {count_max}", tags.len())));
    }
    for (index, (name, value)) in tags.iter().enumerate() {
        let shown = text::cleaned_name(name);
        let refused = |why: String| Err(S3Error::usage(format!("the tag `{shown}` {why}")));
        if name.is_empty() || name.chars().count() > S3_TAG_NAME_CHARS_MAX {
            return refused(format!("has no name of 1 to {S3_TAG_NAME_CHARS_MAX} characters"));
        }
        if value.chars().count() > S3_TAG_VALUE_CHARS_MAX {
            return refused(format!("has a value of more than {S3_TAG_VALUE_CHARS_MAX} characters"));
        }
        if !is_xml_text(name) || !is_xml_text(value) {
            return refused("holds a control character".to_owned());
        }
        if tags[..index].iter().any(|(other, _)| other == name) {
            return refused("is given twice".to_owned());
        }
    }
    Ok(())
}

fn document(tags: &Tags) -> String {
    let mut document = format!("<Tagging xmlns=\"{NAMESPACE}\"><TagSet>");
    for (name, value) in tags {
        document.push_str("<Tag><Key>");
        push_text(&mut document, name);
        document.push_str("</Key><Value>");
        push_text(&mut document, value);
        document.push_str("</Value></Tag>");
    }
    document.push_str("</TagSet></Tagging>");
    document
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{
        S3_BUCKET_TAGS_MAX, S3_OBJECT_TAGS_MAX, S3_TAG_NAME_CHARS_MAX, S3_TAG_VALUE_CHARS_MAX,
    };

    use super::{Tags, check_tags, document};

    #[test]
    fn tags_past_a_limit_are_refused() {
        let many = |n: usize| (0..n).map(|i| (format!("k{i}"), String::new())).collect::<Tags>();
        assert!(check_tags(&many(S3_OBJECT_TAGS_MAX), S3_OBJECT_TAGS_MAX).is_ok());
        assert!(check_tags(&many(S3_OBJECT_TAGS_MAX + 1), S3_OBJECT_TAGS_MAX).is_err());
        assert!(check_tags(&many(S3_BUCKET_TAGS_MAX + 1), S3_BUCKET_TAGS_MAX).is_err());
        let one = |name: usize, value: usize| check_tags(&vec![("n".repeat(name), "ü".repeat(value))], 1);
        assert!(one(S3_TAG_NAME_CHARS_MAX, S3_TAG_VALUE_CHARS_MAX).is_ok());
        assert!(one(S3_TAG_NAME_CHARS_MAX + 1, 0).is_err() && one(1, S3_TAG_VALUE_CHARS_MAX + 1).is_err());
        assert!(one(0, 1).is_err());
        assert!(check_tags(&vec![("a".into(), "1".into()), ("a".into(), "2".into())], 9).is_err());
        assert!(check_tags(&vec![("a\u{1}".into(), String::new())], 9).is_err());
    }

    #[test]
    fn a_value_cannot_break_out_of_the_document() {
        let text = document(&vec![("a<b".into(), "</Value>&".into())]);
        assert!(text.contains("<Key>a&lt;b</Key><Value>&lt;/Value&gt;&amp;</Value>"), "{text}");
    }
}
