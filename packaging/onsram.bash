# SPDX-License-Identifier: MIT
# bash completion for onsram(1): what the command itself says of its options
_onsram()
{
	local cur prev words cword command
	_init_completion || return
	if [ "$cword" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(onsram --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p') --help" -- "$cur")
		return
	fi
	command=${words[1]}
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(onsram "$command" --help 2>/dev/null | grep -oE -e '--[a-z][a-z-]+' | sort -u) --help" -- "$cur")
		return
	fi
	case $prev in
	--policy|--policies|--suite|--dtype|--fuse|--model)
		# "a, b or c" or a|b|c behind the option
		mapfile -t COMPREPLY < <(compgen -W "$(onsram "$command" --help 2>/dev/null |
			sed -n "/^ *$prev /,/^ *--/p" | sed -e "1s/.*$prev [^ ]*//" -e '2,$s/^ *--.*//' |
			tr -cs 'a-z0-9-' '\n' | grep -xE 'none|lru|static|static-paper|eager|ideal|all|onsram12|onsram16|fp16|fp32|on|off|default|paper' |
			sort -u)" -- "$cur")
		;;
	*)
		_filedir
		;;
	esac
}
complete -F _onsram onsram
