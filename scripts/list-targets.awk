# List the targets of a Makefile under their sections: `##@ Section` and `target: ... ## What it does`.
/^##@ / { printf "\n%s\n", substr($0, 5) }
/^[a-z-]+:.*## / {
    name = $0; sub(/:.*/, "", name)
    text = $0; sub(/.*## /, "", text)
    printf "  make %-16s %s\n", name, text
}
