# Runs the operations named in $OPERATIONS and prints `name<TAB>ok`, or what went wrong, for each.
for name in $OPERATIONS; do
    if said=$($name 2>&1); then
        printf '%s\tok\n' "$name"
    else
        printf '%s\t%s\n' "$name" "$(printf '%s' "$said" | tail -n 4 | tr '\n\t' '  ')"
    fi
done
