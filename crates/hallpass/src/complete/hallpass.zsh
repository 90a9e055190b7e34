#compdef hallpass
# Completion of hallpass in zsh: a file `_hallpass` in a folder of $fpath, or `source <(hallpass completions zsh)`

_hallpass() {
    local line value
    local -a before lines folders others
    # The last word may stand in a quote that is still open.
    before=("${(@Q)words[1,CURRENT-1]}")
    lines=("${(@f)$(HALLPASS_COMPLETE=zsh hallpass -- "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for line in $lines; do
        value=${line%%$'\t'*}
        # `_describe` takes what follows `:` for the description.
        value=${${value//\\/\\\\}//:/\\:}
        [[ $line == *$'\t'* ]] && line=$value:${line#*$'\t'} || line=$value
        [[ $value == *[/=:] ]] && folders+=("$line") || others+=("$line")
    done
    local found=1
    (( $#folders )) && _describe -V hallpass folders -S '' && found=0
    (( $#others )) && _describe -V hallpass others && found=0
    return found
}

# As a file of $fpath, this is the function, called for the first time.
if [[ $funcstack[1] == _hallpass ]]; then
    _hallpass "$@"
else
    compdef _hallpass hallpass
fi
