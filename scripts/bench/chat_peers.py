"""What `chat` and its peers are given to say: scripts, and the command lines that take them."""

import peers


def scripted(script):
    """For `peers.select`: command lines in which {S} stands for the file of this script, beside the ports."""

    def command(template):
        def of_site(site):
            words = peers.words(template)(site)
            # A script may be told where to connect, too.
            text = script.replace("{B}", str(site.backend))
            path = peers.write(site, "script", text)
            return [word.replace("{S}", path) for word in words]

        return of_site

    return command


def expect(script, name="expect"):
    """The row of expect with a script of its own."""
    return peers.Tool(name, peers.Kind.PEER, scripted(script)("expect -f {S}"))
