# terraform's own S3 backend: its state is an object, its lock a second one.
tf() { TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 terraform -chdir="$PWD/tf" "$@"; }
begun() {
    # A store has no STS, so the backend is told not to ask it, as its manual says for S3-compatible stores.
    skip=${STORE:-false}
    rm -rf tf && mkdir -p tf && cat >tf/main.tf <<HERE
terraform {
  backend "s3" {
    bucket         = "$BUCKET"
    key            = "work/state"
    region         = "us-east-1"
    use_path_style = true
    use_lockfile   = true
    skip_credentials_validation = $skip
    skip_requesting_account_id  = $skip
  }
}
output "said" { value = "hello" }
HERE
    tf init -input=false -no-color
}
put() { begun && tf apply -auto-approve -input=false -no-color; }
get() { tf output -no-color | grep hello; }
list() { tf workspace list; }
delete() { tf workspace new other && tf workspace select default && tf workspace delete other; }
