//! Checksum headers of bodies that no signature covers: verified in flight, with the last bytes held back.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;

use crate::client::{Answer, Payload, Sign, ask, built};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

const BODY: &[u8] = b"123456789";
/// Of [`BODY`]: the published check values.
const CHECKSUMS: [(&str, &str); 6] = [
    ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
    ("x-amz-checksum-crc32", "y/Q5Jg=="),
    ("x-amz-checksum-crc32c", "4waSgw=="),
    ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
    ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
    ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
];
const PUT: &str = "/bucket/key";
const PART: &str = "/bucket/key?partNumber=1&uploadId=u";

async fn send(world: &World, method: Method, path: &str, header: (&str, &str), body: &[u8]) -> Answer {
    let mut headers: HeaderMap = Sign::with(world).payload(Payload::Unsigned).headers(&method, path, &[header], b"");
    headers.insert("content-length", HeaderValue::from(body.len()));
    ask(world, built(method, path, headers, Full::new(Bytes::copy_from_slice(body)))).await
}

#[tokio::test]
async fn a_body_that_has_its_checksum_passes_and_one_that_has_not_never_completes_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for path in [PUT, PART] {
        for header in CHECKSUMS {
            let answer = send(&world, Method::PUT, path, header, BODY).await;
            assert_eq!(answer.status, 200, "{path} {header:?}: {}", answer.text());
            let seen = upstream.seen().pop().expect("seen");
            assert!(seen.whole && seen.body == BODY && seen.header(header.0) == header.1, "{seen:?}");
        }
    }
    let passed = upstream.seen().len();
    for path in [PUT, PART] {
        for header in CHECKSUMS {
            for place in 0..BODY.len() {
                let mut flipped = BODY.to_vec();
                flipped[place] ^= 1;
                let answer = send(&world, Method::PUT, path, header, &flipped).await;
                let told = (answer.status.as_u16(), answer.reason());
                assert_eq!(told, (400, "body-mismatch"), "{path} {header:?} {place}: {}", answer.text());
            }
        }
    }
    let seen = upstream.seen().split_off(passed);
    assert!(seen.iter().all(|seen| !seen.whole && seen.body.len() < BODY.len()), "{seen:?}");
}

#[tokio::test]
async fn a_checksum_that_no_body_can_have_is_refused_and_nothing_is_sent() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for header in [("content-md5", "cbf43926"), ("x-amz-checksum-crc32", "AAAA"), ("x-amz-checksum-sha256", "?")] {
        let answer = send(&world, Method::PUT, PUT, header, BODY).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (400, "malformed"), "{header:?}");
        assert!(answer.text().contains(header.0), "{}", answer.text());
    }
    assert!(upstream.seen().is_empty());
}

/// There the header is the checksum of the object that the parts become.
#[tokio::test]
async fn a_checksum_of_a_whole_object_is_not_taken_for_the_bodys() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let xml =
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    for header in &CHECKSUMS[1..] {
        let answer = send(&world, Method::POST, "/bucket/key?uploadId=u", *header, xml).await;
        assert_eq!(answer.status, 200, "{header:?}: {}", answer.text());
        assert_eq!(upstream.seen().pop().expect("seen").body.as_ref(), xml);
    }
}
