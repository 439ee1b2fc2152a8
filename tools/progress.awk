# Shows how far `go build -v` is: one line that counts on a terminal, a line for
# every hundred packages elsewhere. Everything that is no package name or
# download, errors above all, is passed on.
function show() {
	line = what ": " packages (packages == 1 ? " package" : " packages") " compiled"
	if (downloads) line = line ", " downloads " modules downloaded"
	if (terminal) printf "\r%s", line
	else print line
	fflush()
	shown = 1
}
/^go: downloading / { downloads++; if (terminal || downloads % 100 == 0) show(); next }
/^[^ \t#]+$/ { packages++; if (terminal || packages % 100 == 0) show(); next }
{ if (terminal && shown) print ""; print; fflush() }
END { if (packages || downloads) { show(); if (terminal) print "" } }
