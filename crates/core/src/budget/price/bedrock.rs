//! Bedrock: tokens. An upper bound from the request, the real number from the response.

use serde_json::Value;

use super::{Call, Measure, Price};
use crate::budget::Usd;

/// Tokens that a price is named for.
pub(super) const MILLION: u64 = 1_000_000;
/// Bytes of a request that make one token at least, for the upper bound.
const BYTES_PER_TOKEN: u64 = 2;
/// Tokens of an answer whose request does not limit them.
const OUTPUT_TOKENS_DEFAULT: u64 = 64_000;
/// Most tokens that any model answers with: a request that asks for more is cut by the model.
const OUTPUT_TOKENS_CEILING: u64 = 131_072;
/// Tokens that a model adds to a request by itself: its template, the description of how tools are used.
const ADDED_TOKENS: u64 = 2_048;
/// Bytes at the end of an answer that are looked at.
const TAIL_BYTES: usize = 2_048;

/// Cents per million tokens, input and output, and the thousands of tokens that the model reads at most. The first
/// name that the model id contains counts.
const MODELS: &[(&str, u64, u64, u64)] = &[
    ("claude-3-5-haiku", 80, 400, 200),
    ("claude-3-haiku", 25, 125, 200),
    ("claude-haiku", 100, 500, 1_000),
    ("claude-3-opus", 1_500, 7_500, 200),
    ("claude-opus", 1_500, 7_500, 1_000),
    ("claude-instant", 80, 240, 100),
    ("claude-v2", 800, 2_400, 200),
    ("claude", 300, 1_500, 1_000),
    ("nova-micro", 4, 14, 1_000),
    ("nova-lite", 6, 24, 1_000),
    ("nova-pro", 80, 320, 1_000),
    ("nova-premier", 250, 1_250, 1_000),
    ("titan-embed", 10, 0, 50),
    ("titan-text", 50, 150, 50),
    ("llama", 265, 350, 10_000),
    ("mistral-large", 400, 1_200, 300),
    ("mistral", 50, 70, 300),
];
/// A model that is not listed: as the most expensive one that is, and the one that reads most.
const UNLISTED: (u64, u64, u64) = (1_500, 7_500, 10_000);

/// Operations that run a model.
const RUNS: [&str; 4] = ["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"];

/// Tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Of the prompt, those read from and written to a cache included.
    pub input: u64,
    /// Of the answer.
    pub output: u64,
}

/// The price of a call to Bedrock.
pub(super) fn price(call: &Call<'_>) -> Price {
    if !RUNS.contains(&call.operation) {
        return match call.operation {
            "CountTokens" => Price::FREE,
            operation if operation.starts_with("Get") || operation.starts_with("List") => Price::FREE,
            // Batches, training, provisioned throughput, agents and flows run models for as long as they like.
            _ => Price::effect(Usd::UNBOUNDED),
        };
    }
    let model = call.resource.to_ascii_lowercase();
    let listed = MODELS.iter().find(|(name, ..)| model.contains(name));
    let (input, output, reads) = listed.map_or(UNLISTED, |(_, input, output, reads)| (*input, *output, *reads));
    let (input, output) = (Usd::from_cents(input), Usd::from_cents(output));
    let body = call.body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let asked = body.as_ref().and_then(output_limit).unwrap_or(OUTPUT_TOKENS_DEFAULT).min(OUTPUT_TOKENS_CEILING);
    let prompt = call.bytes_in.div_ceil(BYTES_PER_TOKEN);
    // No token is shorter than a byte. Pictures, documents and stored prompts are told in few bytes.
    let text_only = body.as_ref().is_some_and(is_text) && !model.contains(":prompt/");
    let read = if text_only { call.bytes_in.saturating_add(ADDED_TOKENS) } else { reads * 1_000 };
    let cost = |read: u64, written: u64| input.per(MILLION, read).plus(output.per(MILLION, written));
    let effect = cost(prompt, asked);
    // What a limit means is for the model to say, so the worst case does not rely on it.
    let worst = cost(read.max(prompt), OUTPUT_TOKENS_CEILING);
    let excess = Usd::from_nano(worst.nano().saturating_sub(effect.nano()));
    Price { effect, excess, measure: Measure::Tokens { input, output }, ..Price::FREE }
}

/// True when a request holds all that the model reads as text: nothing in it names or embeds anything else.
fn is_text(value: &Value) -> bool {
    const MORE: [&str; 14] = [
        "image",
        "images",
        "image_url",
        "inputimage",
        "document",
        "documents",
        "video",
        "audio",
        "file",
        "source",
        "s3location",
        "s3uri",
        "uri",
        "url",
    ];
    match value {
        Value::Object(fields) => {
            fields.iter().all(|(name, value)| !MORE.contains(&name.to_ascii_lowercase().as_str()) && is_text(value))
        }
        Value::Array(values) => values.iter().all(is_text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The limit of output tokens that a request names, in any of the models' spellings; the largest if there are several.
fn output_limit(body: &Value) -> Option<u64> {
    const NAMES: [&str; 9] = [
        "maxTokens",
        "max_tokens",
        "max_tokens_to_sample",
        "max_gen_len",
        "maxTokenCount",
        "max_new_tokens",
        "max_completion_tokens",
        "maxNewTokens",
        "maxOutputTokens",
    ];
    let groups = ["inferenceConfig", "textGenerationConfig"].into_iter().filter_map(|group| body.get(group));
    let values = groups.chain([body]).flat_map(|object| NAMES.into_iter().filter_map(|name| object.get(name)));
    values.filter_map(Value::as_u64).max()
}

/// The end of an answer, kept while it streams: there `Converse` and `ConverseStream` say what they used.
#[derive(Debug, Default)]
pub struct TokenTail(Vec<u8>);

impl TokenTail {
    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        let piece = &piece[piece.len().saturating_sub(TAIL_BYTES)..];
        let surplus = (self.0.len() + piece.len()).saturating_sub(TAIL_BYTES);
        self.0.drain(..surplus.min(self.0.len()));
        self.0.extend_from_slice(piece);
    }

    /// The tokens that it names. The last `usage` counts: what a model wrote before it could look like one.
    pub fn tokens(&self) -> Option<Tokens> {
        const NAME: &[u8] = b"\"usage\":";
        let at = self.0.windows(NAME.len()).rposition(|window| window == NAME)?;
        let usage = serde_json::Deserializer::from_slice(&self.0[at + NAME.len()..]).into_iter::<Value>().next()?;
        let usage = usage.ok()?;
        let count = |name: &str| usage.get(name).and_then(Value::as_u64);
        let cached =
            count("cacheReadInputTokens").unwrap_or(0).saturating_add(count("cacheWriteInputTokens").unwrap_or(0));
        Some(Tokens { input: count("inputTokens")?.saturating_add(cached), output: count("outputTokens")? })
    }
}

#[cfg(test)]
mod tests {
    use super::{TAIL_BYTES, TokenTail, Tokens, is_text, output_limit};

    #[test]
    fn the_output_limit_is_read_in_every_models_spelling() {
        for (body, limit) in [
            (r#"{"max_tokens":100}"#, Some(100)),
            (r#"{"inferenceConfig":{"maxTokens":7}}"#, Some(7)),
            (r#"{"textGenerationConfig":{"maxTokenCount":9}}"#, Some(9)),
            (r#"{"max_tokens":1,"max_gen_len":5}"#, Some(5)),
            (r#"{"max_tokens":-1}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            assert_eq!(output_limit(&serde_json::from_str(body).expect("JSON")), limit, "{body}");
        }
    }

    #[test]
    fn what_a_model_reads_beside_text_is_seen_wherever_it_is() {
        for (body, text) in [
            (r#"{"messages":[{"role":"user","content":[{"text":"an image, a url, a document"}]}]}"#, true),
            (r#"{"prompt":"x","max_tokens":5}"#, true),
            (r#"{"messages":[{"content":[{"image":{"format":"png","source":{"bytes":""}}}]}]}"#, false),
            (r#"{"messages":[{"content":[{"type":"image","source":{"type":"base64","data":""}}]}]}"#, false),
            (r#"{"messages":[{"content":[{"toolResult":{"content":[{"document":{}}]}}]}]}"#, false),
            (r#"{"inputImage":"iVBO"}"#, false),
            (r#"{"messages":[{"content":[{"video":{"source":{"s3Location":{"uri":"s3://b/k"}}}}]}]}"#, false),
        ] {
            assert_eq!(is_text(&serde_json::from_str(body).expect("JSON")), text, "{body}");
        }
    }

    #[test]
    fn the_last_usage_of_an_answer_counts_however_it_is_cut() {
        let answer = format!(
            r#"{{"text":"\"usage\":{{\"inputTokens\":1}} {}","metrics":{{}},"usage":{{"inputTokens":12,"outputTokens":34,"cacheReadInputTokens":5}}}}"#,
            "x".repeat(3 * TAIL_BYTES)
        );
        for piece in [1, 7, 1_000, usize::MAX] {
            let mut tail = TokenTail::default();
            answer.as_bytes().chunks(piece.min(answer.len())).for_each(|part| tail.push(part));
            assert_eq!(tail.tokens(), Some(Tokens { input: 17, output: 34 }), "{piece}");
            assert!(tail.0.len() <= TAIL_BYTES);
        }
        assert_eq!(TokenTail::default().tokens(), None);
    }
}
