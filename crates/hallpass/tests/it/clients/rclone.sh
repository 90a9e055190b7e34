# rclone, a Go SDK of its second version, with a remote that takes everything from the environment.
run() { rclone --config /dev/null -q --retries 1 --low-level-retries 1 --s3-env-auth --s3-provider AWS --s3-region us-east-1 --s3-force-path-style \
    ${AWS_ENDPOINT_URL:+--s3-endpoint "$AWS_ENDPOINT_URL"} --s3-no-check-bucket "$@"; }
put() { run copyto small ":s3:$BUCKET/work/put"; }
get() { run copyto ":s3:$BUCKET/work/put" got && cmp small got; }
multipart() { run --s3-upload-cutoff 5M --s3-chunk-size 5M copyto large ":s3:$BUCKET/work/large" && run copyto ":s3:$BUCKET/work/large" back && cmp large back; }
copy() { run copyto ":s3:$BUCKET/work/put" ":s3:$BUCKET/work/copy"; }
list() { run lsf ":s3:$BUCKET/work/" | grep copy; }
delete() { run deletefile ":s3:$BUCKET/work/copy" && ! run lsf ":s3:$BUCKET/work/" | grep copy; }
presign() { url=$(run link --expire 5m ":s3:$BUCKET/work/put") && { curl -sSf "$url" | cmp - small || { curl -sS "$url"; false; }; }; }
