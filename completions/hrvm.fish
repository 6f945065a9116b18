# fish completion for hrvm: asks hrvm itself what could come next.
function __hrvm_complete
    set -l words (commandline -opc) (commandline -ct)
    # Of "--store=/va" the option stays in front of each path.
    set -l option (string match -r '^--[^=]*=' -- $words[-1])
    set -l path (string replace -r '^--[^=]*=' '' -- $words[-1])
    for line in ($words[1] __complete -- $words[2..-1] 2> /dev/null)
        switch $line
            case :files
                __fish_complete_path $path | string replace -r -- '^' "$option"
            case :folders
                __fish_complete_directories $path '' | string replace -r -- '^' "$option"
            case '*'
                echo $line
        end
    end
end
complete -c hrvm -f -a '(__hrvm_complete)'
