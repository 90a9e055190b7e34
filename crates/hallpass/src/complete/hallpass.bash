# Completion of hallpass in bash: `source <(hallpass completions bash)`

_hallpass() {
    local i piece before= next= rest=${COMP_LINE:0:COMP_POINT} words=()
    # bash breaks words at `:` and `=`; what stands together on the line is one word again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        [[ $rest =~ ^[[:space:]]+ ]] && rest=${rest#"${BASH_REMATCH[0]}"} && before=
        piece=${COMP_WORDS[i]} next=$piece
        ((i == COMP_CWORD)) && piece=$rest
        rest=${rest#"$piece"}
        if [[ $before && ($before =~ ^[:=]+$ || $next =~ ^[:=]) ]]; then
            words[${#words[@]} - 1]+=$piece
        else
            words+=("$piece")
        fi
        before=$next
    done

    local quote= head= sep part current=${words[${#words[@]} - 1]}
    case $current in
        [\"\']*) quote=1 current=${current:1} ;;
        *) current=${current//\\/} ;;
    esac
    words[${#words[@]} - 1]=$current
    # What stands before the last break is on the line already.
    for sep in : =; do
        [[ ! $quote && $COMP_WORDBREAKS == *"$sep"* && $current == *"$sep"* ]] || continue
        part=${current%"${current##*"$sep"}"}
        ((${#part} > ${#head})) && head=$part
    done

    COMPREPLY=()
    while IFS= read -r piece; do
        piece=${piece#"$head"}
        [[ $quote ]] || printf -v piece %q "$piece"
        COMPREPLY+=("$piece")
    done < <(HALLPASS_COMPLETE=bash hallpass -- "${words[@]}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} =~ [=/:]$ ]] && compopt -o nospace 2>/dev/null
    return 0
}

# The order is ours where bash can keep it.
complete -o bashdefault -o nosort -F _hallpass hallpass 2>/dev/null || complete -o bashdefault -F _hallpass hallpass
