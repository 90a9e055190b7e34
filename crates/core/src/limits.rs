//! Every limit of the product, in one place. The name ends in the unit and `_MAX` or `_MIN`.
//! Each has a test that goes past it (`tidy` checks that the name occurs in a test).

/// Longest life of a session, seconds (twelve hours, the most that AWS grants a role session).
pub const SESSION_TTL_S_MAX: u64 = 12 * 60 * 60;
/// Shortest life of a session, seconds. The gate enforces it itself, so the clouds' 900 s floor does not matter.
pub const SESSION_TTL_S_MIN: u64 = 1;
/// Longest session id, bytes.
pub const SESSION_ID_BYTES_MAX: usize = 64;
/// Most arguments recorded of a command.
pub const COMMAND_ARGS_MAX: usize = 256;
/// Most tags on a session (STS accepts 50 session tags).
pub const TAGS_MAX: usize = 50;
/// Slips (letters added, left out, changed, swapped) by which an action may differ from one that is known and still be
/// taken for it.
pub const ACTION_SLIPS_MAX: usize = 2;
/// Actions that look misspelt which are told before a run; the rest are counted.
pub const ACTION_DOUBTS_TOLD_MAX: usize = 5;
/// Longest role ARN, in characters (STS API Reference, AssumeRole).
pub const ROLE_ARN_CHARS_MAX: usize = 2_048;
/// Longest name of a region, in characters; AWS's own have 14 at most, S3-compatible stores make theirs up.
pub const REGION_CHARS_MAX: usize = 64;
/// Longest tag key, characters (STS).
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Longest tag value, characters (STS).
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// Most actions in one policy list.
pub const POLICY_ACTIONS_MAX: usize = 1_000;
/// Largest policy document read, bytes.
pub const POLICY_DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Deepest JSON that a policy document may nest.
pub const POLICY_JSON_DEPTH_MAX: usize = 16;
/// A number of a policy document that is no 64-bit integer must be below it: above, a float skips whole numbers (2^53).
pub const POLICY_JSON_FLOAT_MAX: f64 = 9_007_199_254_740_992.0;
/// Longest action or resource pattern, characters (the longest ARN that IAM takes).
pub const POLICY_PATTERN_CHARS_MAX: usize = 2_048;
/// Most characters of a faulty policy text shown in an error.
pub const SYNTAX_PICTURE_CHARS_MAX: usize = 100;
/// Most states visited to prove that one pattern covers another; past it the answer is no.
pub const GLOB_COVER_STATES_MAX: usize = 4_096;
/// Most statements while ceilings are intersected into a session policy; past it one ceiling is sent alone.
pub const COMPILED_STATEMENTS_MAX: usize = 64;
/// Largest session policy that STS takes, characters, managed ARNs included (STS API, AssumeRole).
pub const SESSION_POLICY_CHARS_MAX: usize = 2_048;
/// Shortest role session that STS grants, seconds (STS API, AssumeRole).
pub const STS_DURATION_S_MIN: u64 = 900;
/// Longest session of a role assumed with role credentials, seconds (role chaining; IAM user guide).
pub const STS_CHAINED_DURATION_S_MAX: u64 = 3_600;
/// Longest role session that STS grants, seconds (STS API, AssumeRole).
pub const STS_ROLE_DURATION_S_MAX: u64 = 43_200;
/// Longest session of a user's own temporary credentials, seconds (STS API, GetSessionToken, GetFederationToken).
pub const STS_USER_DURATION_S_MAX: u64 = 129_600;
/// Largest answer of STS that is read, bytes; a credential with its members has some four thousand.
pub const STS_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest wait for `sts:GetScopedCredentials`, which may not be there at all, seconds.
pub const SCOPED_CREDENTIALS_TIMEOUT_S: u64 = 3;
/// Child sessions that one gate holds at once; the ended ones make room for new ones.
pub const CHILD_SESSIONS_MAX: usize = 64;
/// Deepest nesting of child sessions: the command's own session has depth 0.
pub const CHILD_SESSION_DEPTH_MAX: usize = 3;
/// Characters that all inline policies of a role may have together (IAM quotas).
pub const ROLE_POLICY_CHARS_MAX: usize = 10_240;
/// Times that a role's deny is looked for when a session is revoked; after each but the last it is written.
pub const REVOCATION_ROUNDS_MAX: usize = 4;
/// Real credentials are renewed this long before they expire, seconds.
pub const CREDENTIAL_REFRESH_EARLY_S: u64 = 300;

/// Characters of a number that is read as a key of DynamoDB, whose numbers have up to 38 digits; longer ones stay unknown.
pub const DYNAMODB_NUMBER_CHARS_MAX: usize = 38;

/// Most bytes of a request head (line and headers).
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most headers of a request.
pub const REQUEST_HEADERS_MAX: usize = 100;
/// Most query parameters of a request.
pub const QUERY_PARAMETERS_MAX: usize = 1_000;
/// Most parameters of a form body (query and EC2 protocols; a full `PutMetricData` has some ten thousand).
pub const FORM_PARAMETERS_MAX: usize = 20_000;
/// Longest S3 object key, bytes of UTF-8 (Amazon S3 user guide, "Naming objects").
pub const S3_KEY_BYTES_MAX: usize = 1_024;
/// Most keys of one multi-object delete (Amazon S3 API, DeleteObjects).
pub const S3_DELETE_KEYS_MAX: usize = 1_000;
/// Most elements of an XML body that names resources (a full multi-object delete has some six thousand).
pub const XML_ELEMENTS_MAX: usize = 20_000;
/// Deepest JSON body that is searched for resources (DynamoDB nests 32 attribute levels, two JSON levels each).
pub const BODY_JSON_DEPTH_MAX: usize = 100;
/// Largest body that is held in memory because its hash, action or resource must be known first, bytes.
pub const BUFFERED_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest single aws-chunked chunk held until its signature is verified, bytes.
pub const SIGNED_CHUNK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most bytes of an aws-chunked chunk header or of all trailers together.
pub const CHUNK_HEADER_BYTES_MAX: usize = 16 * 1024;
/// Most trailers of one aws-chunked body; S3 takes one checksum.
pub const CHUNK_TRAILERS_MAX: usize = 8;
/// Largest message of an uploaded event stream held until its signature is verified, bytes (the encoding's own limit
/// of 16 MiB for a payload; the SDKs' messages have some kilobytes).
pub const EVENT_MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest difference between the child's clock and ours, seconds (AWS allows 900).
pub const SIGNATURE_SKEW_S_MAX: i64 = 300;
/// Signatures of changing requests that one session's gate remembers; past it, the oldest second is given up, and
/// everything signed until then is refused. Some 2 MiB.
pub const REPLAYS_REMEMBERED_MAX: usize = 65_536;
/// A client that signs no invocation id makes the same signature for two equal requests of one second, so such a
/// request may come again for so long, milliseconds: the second, and some for its way.
pub const REPLAY_SAME_SECOND_MS_MAX: i64 = 1_500;
/// Longest life of a real presigned URL that a session makes, seconds: nobody can take it back.
pub const PRESIGN_LIFE_S_MAX: u64 = 3_600;
/// Longest life that a presigned URL may claim, seconds (Amazon S3 API, `X-Amz-Expires`: seven days).
pub const PRESIGNED_EXPIRES_S_MAX: i64 = 604_800;
/// Most connections that one gate serves at once.
pub const GATE_CONNECTIONS_MAX: usize = 1_024;
/// A child that sends no complete request head for this long is cut off, seconds.
pub const REQUEST_HEAD_TIMEOUT_S: u64 = 30;
/// Longest time for which the rest of a refused request is read away, so that its refusal arrives, seconds.
pub const LINGER_S_MAX: u64 = 10;
/// Longest wait for a TCP connection to the upstream, seconds.
pub const UPSTREAM_CONNECT_TIMEOUT_S: u64 = 10;
/// Longest wait for the first byte of an upstream answer, seconds.
pub const UPSTREAM_RESPONSE_TIMEOUT_S: u64 = 300;
/// Streamed bodies from this size on are announced to the upstream with `Expect: 100-continue`, bytes.
pub const EXPECT_CONTINUE_BYTES_MIN: u64 = 1024 * 1024;
/// Longest wait for `100 Continue` before a body is sent all the same, milliseconds (the SDKs' own figure).
pub const EXPECT_CONTINUE_WAIT_MS_MAX: u64 = 1_000;
/// An upstream connection that was idle for longer is not used again, seconds: the fewer a server closes under a
/// request, the fewer requests end with nobody knowing whether they were carried out (S3 closes after some 5 s).
pub const UPSTREAM_IDLE_S_MAX: u64 = 4;
/// Uploads of this length and more are hashed in a thread of their own, bytes. Below it the thread would cost more.
pub const UPLOAD_ASIDE_BYTES_MIN: u64 = 1024 * 1024;
/// What may wait for that thread before no more is read from the command, bytes.
pub const UPLOAD_AHEAD_BYTES_MAX: usize = 512 * 1024;
/// An answer of which no byte moves in either direction for this long is cut, seconds; at the latest after twice that.
pub const STREAM_IDLE_S_MAX: u64 = 300;
/// Bytes of an upstream's error that are read ahead, to see whether it says that our credential has expired.
pub const UPSTREAM_ERROR_PEEK_BYTES_MAX: usize = 16 * 1024;
/// Bytes of resource names that one audit entry of a request holds; a batch's others are counted and hashed.
pub const REQUEST_RESOURCES_RECORDED_BYTES_MAX: usize = 48 * 1024;
/// Bytes by which one audit entry says which action needs which resource; past it, it says that it does not.
pub const REQUEST_NEEDS_RECORDED_BYTES_MAX: usize = 4 * 1024;
/// Longest value of a condition key that one audit entry holds, bytes (twice the longest S3 key).
pub const REQUEST_CONDITION_RECORDED_BYTES_MAX: usize = 2 * S3_KEY_BYTES_MAX;
/// Values of one statement's conditions that learning compares one by one.
pub const LEARNED_VALUES_APART_MAX: usize = 256;
/// The session's time is looked at least this often, milliseconds, so that a clock that is set takes effect.
pub const EXPIRY_CHECK_MS_MAX: u64 = 500;
/// Unauthenticated requests recorded one by one, per second; the rest are counted in one entry.
pub const REFUSALS_RECORDED_PER_S_MAX: u32 = 50;
/// Longest `Authorization` header read, bytes (a hundred signed header names fit many times over).
pub const AUTHORIZATION_BYTES_MAX: usize = 8 * 1024;
/// Certificates of AWS hosts that one session keeps; past it they are made anew.
pub const CERTIFIED_HOSTS_MAX: usize = 256;
/// A session's certificates are valid from so long before they are made, for clients whose clock is behind, seconds.
pub const CERTIFICATE_BACKDATING_S: i64 = 300;
/// Most hosts that one session passes through its proxy untouched, by name.
pub const PASSTHROUGH_HOSTS_MAX: usize = 100;
/// Most connections to other hosts that one session has open through its proxy at once, so that they leave room for
/// requests to the cloud.
pub const PASSTHROUGH_CONNECTIONS_MAX: usize = 256;
/// Longest answer of the caller's own proxy to a CONNECT, bytes.
pub const OUTER_PROXY_HEAD_BYTES_MAX: usize = 16 * 1024;
/// A child that has asked for a tunnel must have finished its TLS handshake after so long, seconds.
pub const TUNNEL_HANDSHAKE_TIMEOUT_S: u64 = 10;
/// Tags of one request that conditions can look at; AWS takes 50 for a resource.
pub const REQUEST_TAGS_MAX: usize = 200;
/// Bytes of one PartiQL statement (DynamoDB API reference, ExecuteStatement).
pub const PARTIQL_STATEMENT_BYTES_MAX: usize = 8_192;
/// PartiQL statements in one request (DynamoDB API reference, ExecuteTransaction).
pub const PARTIQL_STATEMENTS_MAX: usize = 100;
/// Bytes of `X-Amz-Region-Set`.
pub const REGION_SET_BYTES_MAX: usize = 1_024;
/// Regions in `X-Amz-Region-Set`.
pub const REGION_SET_REGIONS_MAX: usize = 64;
/// Bytes of a P-256 signature in DER: two integers of at most 33 bytes with their heads.
pub const ECDSA_SIGNATURE_BYTES_MAX: usize = 72;
/// Derived signing keys cached per gate.
pub const SIGNING_KEYS_CACHED_MAX: usize = 64;

/// Largest audit entry, bytes (the C2SP tiled-log limit).
pub const AUDIT_ENTRY_BYTES_MAX: usize = 65_535;
/// Most entries in one stored run.
pub const AUDIT_RUN_ENTRIES_MAX: usize = 1_024;
/// Most operations that one commit groups.
pub const STORE_BATCH_MAX: usize = 1_024;
/// Under load a commit waits for company for so long at most, microseconds: a commit costs more than ten entries do.
pub const STORE_COMPANY_US_MAX: u64 = 2_000;
/// With so many operations a commit waits for no more.
pub const STORE_COMPANY_MAX: usize = 32;
/// After so many commits one looks whether more would come.
pub const STORE_COMPANY_LOOK: u32 = 16;
/// Pages of 4 KiB in the write-ahead log before they are copied into the database, which waits for the disk.
pub const STORE_LOG_PAGES_MAX: u32 = 4_096;
/// Operations that may wait for the store's writer; more wait their turn.
pub const STORE_QUEUE_MAX: usize = 8_192;
/// Longest wait for another process's write to the store, milliseconds.
pub const STORE_BUSY_TIMEOUT_MS: u64 = 5_000;
/// A checkpoint is signed at least every so many entries.
pub const CHECKPOINT_ENTRIES_MAX: u64 = 4_096;
/// A checkpoint is signed at least this often while entries arrive, seconds.
pub const CHECKPOINT_INTERVAL_S_MAX: i64 = 10;
/// Most sessions returned by one page of a listing.
pub const LIST_PAGE_MAX: u32 = 1_000;
/// Ended sessions kept in the store; older ones are pruned, live ones never.
pub const SESSIONS_KEPT_MAX: u64 = 100_000;
/// Most bytes of entries in one stored run; a larger batch becomes several.
pub const AUDIT_RUN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest time that an outcome waits for company before it is committed, milliseconds.
pub const STORE_LATER_DELAY_MS_MAX: u64 = 10;
/// Outcomes that may wait for the store's writer; more are dropped, counted, and stay unknown.
pub const STORE_LATER_MAX: usize = 65_536;
/// Size of the file that is given up when the disk is full, so that ends of sessions can still be recorded, bytes.
pub const STORE_RESERVE_BYTES: u64 = 1024 * 1024;
/// A write-ahead log up to this size, in bytes, is left for the next process when a store that survives the end of a
/// process, not of the power, is closed. Beyond it, reading it back would cost more than copying it into the database.
pub const STORE_LOG_LEFT_BYTES_MAX: u64 = 256 * 1024;
/// Findings that a verification lists; more are counted.
pub const AUDIT_FINDINGS_MAX: usize = 100;
/// Sessions without an end that a verification can hold at once.
pub const AUDIT_OPEN_SESSIONS_MAX: usize = 100_000;
/// Acts that a `log_interrupted` entry names.
pub const INTERRUPTION_ACTS_MAX: usize = 16;
/// Seconds that a session without a keeper may take from its record to its credential; then it counts as failed.
pub const UNKEPT_START_S_MAX: i64 = 60;
/// Ended sessions that one transaction of a pruning removes.
pub const PRUNED_AT_ONCE_MAX: u64 = 10_000;
/// Connections for reading that a store keeps open.
pub const STORE_READERS_MAX: usize = 4;
/// Largest checkpoint note, bytes.
pub const CHECKPOINT_NOTE_BYTES_MAX: usize = 4_096;
/// Most bytes of one list (command, actions, resources) in a `session_created` entry; the rest is counted.
pub const AUDIT_LIST_BYTES_MAX: usize = 8 * 1024;
/// Most files that `session import` reads.
pub const IMPORT_FILES_MAX: usize = 100_000;
/// Largest file read by `session import`, bytes.
pub const IMPORT_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Largest file of the audit log's private key, bytes.
pub const KEY_FILE_BYTES_MAX: u64 = 1_024;

/// Worker threads of one gate; more do not make one session's gate faster.
pub const GATE_THREADS_MAX: usize = 4;
/// Most processes looked at between `run` and the first process; no tree is as deep.
pub const ANCESTORS_MAX: usize = 64;
/// Most connections that the demo's store serves at once.
pub const DEMO_CONNECTIONS_MAX: usize = 64;
/// Grace between TERM and KILL when a session's processes are ended, seconds.
pub const KILL_GRACE_S: u64 = 5;
/// Longest wait for processes to vanish after KILL, seconds; what is left then hangs in the kernel.
pub const KILL_CONFIRM_S_MAX: u64 = 10;
/// Longest grace between TERM and KILL that may be asked for, seconds.
pub const KILL_GRACE_S_MAX: u64 = 600;
/// The record of a kill waits this long for the processes to be gone, so that it can say so, milliseconds.
pub const KILL_RECORD_WAIT_MS_MAX: u64 = 250;
/// Requests in flight when the command ends may take this long to be settled, seconds.
pub const SETTLE_GRACE_S_MAX: u64 = 1;
/// Longest life that the credential endpoint tells an SDK, seconds; then the SDK asks again.
pub const CREDENTIAL_ENDPOINT_LIFE_S_MAX: u64 = 300;
/// Most connections that one credential endpoint serves at once.
pub const CREDENTIAL_ENDPOINT_CONNECTIONS_MAX: usize = 64;
/// Most connections that one control socket serves at once.
pub const CONTROL_CONNECTIONS_MAX: usize = 16;
/// Most bytes that the self-check before a start reads of one file or of one process's environment.
pub const SELF_CHECK_BYTES_MAX: u64 = 256 * 1024;
/// Largest file of certificate authorities that `AWS_CA_BUNDLE` may name, bytes.
pub const CA_BUNDLE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest message on the control socket, bytes.
pub const CONTROL_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Whoever opens the control socket must have asked after so long, seconds; silent visitors keep nobody out for longer.
pub const CONTROL_QUESTION_TIMEOUT_S_MAX: u64 = 1;
/// Longest wait for an answer on the control socket, seconds.
pub const CONTROL_TIMEOUT_S: u64 = 10;
/// Longest name of a profile in the configuration, bytes.
pub const PROFILE_NAME_BYTES_MAX: usize = 64;
/// Largest configuration file, bytes.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
/// Largest file read by `audit proof --check`, bytes: an entry, its escapes, 64 hashes and a checkpoint fit well.
pub const PROOF_BYTES_MAX: u64 = 512 * 1024;
/// Largest budget of a session, USD.
pub const BUDGET_USD_MAX: u64 = 1_000_000;
/// Longest wait for calls in flight that may cost more than they have reserved, seconds; SDKs give up a silent call
/// after 60 and send it again.
pub const BUDGET_ROOM_WAIT_S_MAX: u64 = 45;
/// Most distinct resources that `--max-resources` may allow: each of them is remembered.
pub const DISTINCT_RESOURCES_MAX: u64 = 100_000;
/// Operations, and kinds of refusals, that `session report` lists one by one; the rest is counted.
pub const REPORT_GROUPS_MAX: usize = 200;

/// A store must take a connection (name, TCP, proxy, TLS) within, seconds.
pub const S3_CONNECT_TIMEOUT_S: u64 = 5;
/// A store that sends and takes nothing for so long is given up, seconds.
pub const S3_IDLE_S_MAX: u64 = 30;
/// The same for the calls that move whole objects inside the store (complete, copy), seconds.
pub const S3_IDLE_INSIDE_S_MAX: u64 = 300;
/// The shortest patience with a silent store that `--timeout` takes, seconds.
pub const S3_IDLE_CHOSEN_S_MIN: u64 = 1;
/// The longest, seconds.
pub const S3_IDLE_CHOSEN_S_MAX: u64 = 300;
/// Times that one request is sent, where sending again can help.
pub const S3_ATTEMPTS_MAX: u32 = 3;
/// No request is sent again so long after its first time, seconds.
pub const S3_RETRYING_S_MAX: u64 = 120;
/// First and longest pause before a request is sent again, milliseconds; in between it doubles, with full jitter.
pub const S3_BACKOFF_MS_MIN: u64 = 100;
/// See [`S3_BACKOFF_MS_MIN`].
pub const S3_BACKOFF_MS_MAX: u64 = 5_000;
/// Longest `Retry-After` that is waited for, seconds; a longer one ends the request.
pub const S3_RETRY_AFTER_S_MAX: u64 = 30;
/// Idle connections that one client keeps.
pub const S3_IDLE_CONNECTIONS_MAX: usize = 64;
/// An idle connection is used again for so long, seconds (stores close them after 5 to 60 s).
pub const S3_IDLE_CONNECTION_S_MAX: u64 = 20;
/// Headers of a store's answer.
pub const S3_ANSWER_HEADERS_MAX: usize = 128;
/// Largest answer that is read as a document, bytes (1,000 keys of 1,024 bytes, each escaped threefold, fit twice).
pub const S3_DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest document of a store.
pub const S3_DOCUMENT_DEPTH_MAX: usize = 16;
/// Longest text of a store that is shown, characters.
pub const S3_STORE_TEXT_CHARS_MAX: usize = 300;
/// Largest correction of our clock by a store's, seconds.
pub const S3_CLOCK_SKEW_S_MAX: i64 = 24 * 60 * 60;
/// Buckets whose region one client remembers.
pub const S3_BUCKET_REGIONS_MAX: usize = 1_024;
/// Longest bucket name, bytes (the oldest buckets of us-east-1).
pub const S3_BUCKET_BYTES_MAX: usize = 255;
/// Most user metadata of one object, bytes (Amazon S3 User Guide).
pub const S3_METADATA_BYTES_MAX: usize = 2 * 1024;
/// Bodies up to here are covered by the signature over plain HTTP even on loopback, bytes.
pub const S3_SIGNED_BODY_BYTES_MAX: u64 = 1024 * 1024;
/// Most pages of a listing that hold nothing, in a row: a bucket full of delete markers has some, and a store that goes
/// on for ever has no others.
pub const S3_EMPTY_PAGES_MAX: u32 = 5_000;
/// Answer of a proxy to CONNECT, bytes.
pub const S3_PROXY_ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Most bytes of a body that are handed on at once; least, and the lowest `--limit-rate`, bytes a second.
pub const S3_FLOW_BYTES_MAX: u64 = 256 * 1024;
/// See [`S3_FLOW_BYTES_MAX`].
pub const S3_FLOW_BYTES_MIN: u64 = 1_024;
/// Longest name of bucket and key that an error shows, characters.
pub const S3_NAME_SHOWN_CHARS_MAX: usize = 1_200;
/// Largest error document of a store that is read, bytes.
pub const S3_ERROR_BYTES_MAX: usize = 64 * 1024;
/// Parts of one upload (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
pub const S3_PART_NUMBER_MAX: u32 = 10_000;
/// Longest upload id of a store, bytes.
pub const S3_UPLOAD_ID_BYTES_MAX: usize = 2_048;
/// Steps of a transfer that are planned before the first is carried out.
pub const S3_PLAN_AHEAD_MAX: usize = 20_000;
/// Targets that a transfer of several sources compares with each other.
pub const S3_PLAN_NAMES_MAX: usize = 200_000;
/// Things that one mirror removes.
pub const S3_REMOVED_MAX: usize = 100_000;
/// Longest pattern of `--include` and `--exclude`, bytes.
pub const S3_PATTERN_BYTES_MAX: usize = 1_024;
/// Longest name of one file (Linux, `NAME_MAX`), bytes.
pub const S3_FILE_NAME_BYTES_MAX: usize = 255;
/// Folders in folders that are read.
pub const S3_FOLDER_DEPTH_MAX: usize = 512;
/// Entries of one local folder that are read.
pub const S3_FOLDER_ENTRIES_MAX: usize = 1_000_000;
/// Files and objects that are transferred at once: at first, and at most.
pub const S3_ITEMS_IN_FLIGHT: usize = 16;
/// See [`S3_ITEMS_IN_FLIGHT`].
pub const S3_ITEMS_IN_FLIGHT_MAX: usize = 64;
/// Longest name of an S3 alias, bytes.
pub const ALIAS_NAME_BYTES_MAX: usize = 64;
/// Most aliases that one configuration file may hold.
pub const ALIASES_MAX: usize = 1_000;
/// Longest key, secret, token or command of an alias, bytes; session tokens of AWS stay below 4 KiB.
pub const ALIAS_VALUE_BYTES_MAX: usize = 16 * 1024;
/// Longest host name in an endpoint, bytes (RFC 1035, section 2.3.4, as text).
pub const ENDPOINT_HOST_BYTES_MAX: usize = 253;
/// Longest wait for another process that changes the configuration file, seconds.
pub const CONFIG_LOCK_WAIT_S_MAX: u64 = 30;
/// Part size of uploads and downloads while the parts fit, and from which size on there are parts at all, bytes.
pub const S3_PART_BYTES: u64 = 8 * 1024 * 1024;
/// Smallest part but the last (Amazon S3 User Guide), bytes.
pub const S3_PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Largest part, and largest object that is copied or put in one call (Amazon S3 User Guide), bytes.
pub const S3_PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Largest object, bytes.
pub const S3_OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;
/// Memory for the parts of one transfer, bytes: with the program itself it stays below 64 MiB. Larger parts are read
/// from their file as they are sent.
pub const S3_TRANSFER_MEMORY_BYTES_MAX: u64 = 36 * 1024 * 1024;
/// Parts of one transfer in flight: at first, and at most.
pub const S3_PARTS_IN_FLIGHT: usize = 4;
/// See [`S3_PARTS_IN_FLIGHT`].
pub const S3_PARTS_IN_FLIGHT_MAX: usize = 16;
/// Downloads up to here are held in memory until they are whole, bytes.
pub const S3_SMALL_OBJECT_BYTES_MAX: u64 = 1024 * 1024;
/// Files of a folder up to here are read together, some at a time, before it is their turn to be sent, bytes.
pub const S3_READ_AHEAD_BYTES_MAX: u64 = 64 * 1024;
/// Times that a download goes on after it broke off without a byte more.
pub const S3_BREAKS_MAX: u32 = 3;
/// After a stop, a call that would leave something behind may take this long to end, seconds.
pub const S3_STOP_GRACE_S_MAX: u64 = 5;
/// After a stop or a failure, parts in flight may end for so long before they are cut off, seconds.
pub const S3_STOP_PARTS_S_MAX: u64 = 2;
/// Largest file that remembers an interrupted transfer, bytes.
pub const S3_STATE_BYTES_MAX: u64 = 64 * 1024;
/// How often an interrupted download's progress is remembered, seconds.
pub const S3_STATE_INTERVAL_S: u64 = 2;
/// Most tags of an S3 object (Amazon S3 User Guide, "Categorizing your objects using tags").
pub const S3_OBJECT_TAGS_MAX: usize = 10;
/// Most tags of a bucket (Amazon S3 User Guide, "Using cost allocation S3 bucket tags").
pub const S3_BUCKET_TAGS_MAX: usize = 50;
/// Longest name of a tag, characters.
pub const S3_TAG_NAME_CHARS_MAX: usize = 128;
/// Longest value of a tag, characters.
pub const S3_TAG_VALUE_CHARS_MAX: usize = 256;
/// Memory that a compiled regular expression of `hallpass s3 find` may take, bytes.
pub const S3_REGEX_BYTES_MAX: usize = 1024 * 1024;
/// Longest path on one line of stdin or of a batch of `hallpass s3`, bytes: an alias, a bucket and the longest key, each
/// byte of it escaped (`\u0001`).
pub const S3_PATH_LINE_BYTES_MAX: usize = 8 * 1024;
/// Longest document of a bucket's setting that is read from a file, bytes; S3 takes 20 KiB of policy and 1,000 rules.
pub const S3_SETTING_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of one line of a batch of `hallpass s3 run`.
pub const S3_BATCH_LINE_BYTES_MAX: usize = 64 * 1024;
/// How long a shell waits, at most, for the names that a store has, milliseconds.
pub const S3_COMPLETION_MS_MAX: u64 = 1_500;
/// Most names that are offered to a shell.
pub const S3_COMPLETION_NAMES_MAX: usize = 500;
/// Most bytes of a batch whose lines are read before the first is run.
pub const S3_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
