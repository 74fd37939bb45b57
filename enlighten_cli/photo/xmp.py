"""Parse an XMP packet with a hardened XML parser, and write it again without some properties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.saxutils import escape, quoteattr
from xml.sax.xmlreader import AttributesImpl

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
PACKET = "xpacket"  # the processing instruction around a packet; others are not part of XMP
MOST_NODES = 250_000  # elements and attributes; about a second. Photoshop's longest histories have a tenth


def without(packet: bytes, is_dropped: Callable[[str, str], bool]) -> bytes:
    """Return a packet without some properties, in every form that RDF allows.

    Comments, and processing instructions other than the packet's own, are removed too: what they contain is unknown.

    Parameters
    ----------
    packet : bytes
    is_dropped : callable
        Receives the namespace (empty where there is none) and the local name of each element and
        each attribute.

    Raises
    ------
    ValueError
        If it is no well-formed XML with namespaces, has a DTD, of which XMP has no need, or more
        than `MOST_NODES` elements and attributes. The message says which.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.expatreader import DefusedExpatParser

    writer = _Writer(is_dropped)
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(writer)
    padded_by_zeros = b"\0" not in packet[:4]  # otherwise they belong to UTF-16
    try:
        parser.feed(packet.rstrip(b"\0") if padded_by_zeros else packet)  # at once: no token is scanned twice
        parser.close()
    except _TooManyNodesError as error:
        raise ValueError(f"more than {MOST_NODES:,} elements") from error
    except (SAXException, DefusedXmlException, UnicodeError) as error:
        raise ValueError("not well-formed XML") from error
    return "".join(writer.parts).encode()


class _TooManyNodesError(Exception):
    """The packet has more nodes than any program writes."""


class _Writer(ContentHandler):
    """Writes what the parser reports, with the original prefixes."""

    def __init__(self, is_dropped: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._is_dropped = is_dropped
        self._namespaces: defaultdict[str, list[str]] = defaultdict(list, {"": [""], "xml": [XML_NAMESPACE]})
        self._declared: list[list[str]] = []  # prefixes, for each open element
        self._depth_dropped = 0
        self._nodes_left = MOST_NODES

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._nodes_left -= 1 + len(attrs)
        if self._nodes_left < 0:
            raise _TooManyNodesError
        if self._depth_dropped:
            self._depth_dropped += 1
            return
        declared = {key.partition(":")[2]: uri for key, uri in attrs.items() if key.partition(":")[0] == "xmlns"}
        for prefix, uri in declared.items():
            self._namespaces[prefix].append(uri)
        self._declared.append(list(declared))
        if self._is_dropped(*self._resolved(name)):
            self._forget()
            self._depth_dropped = 1
            return
        self.parts.append(f"<{name}")
        for key, value in attrs.items():
            if key.partition(":")[0] == "xmlns" or not self._is_dropped(*self._resolved(key, of_attribute=True)):
                self.parts.append(f" {key}={quoteattr(value)}")
        self.parts.append(">")

    def endElement(self, name: str) -> None:  # noqa: N802
        if self._depth_dropped:
            self._depth_dropped -= 1
            return
        self._forget()
        self.parts.append(f"</{name}>")

    def characters(self, content: str) -> None:
        if not self._depth_dropped:
            self.parts.append(escape(content, {"\r": "&#13;"}))

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: N802
        if target == PACKET and not self._depth_dropped:
            self.parts.append(f"<?{target} {data}?>\n")

    def _forget(self) -> None:
        for prefix in self._declared.pop():
            self._namespaces[prefix].pop()

    def _resolved(self, name: str, *, of_attribute: bool = False) -> tuple[str, str]:
        prefix, colon, local = name.rpartition(":")
        if of_attribute and not colon:
            return "", local  # the default namespace is for elements
        found = self._namespaces.get(prefix)
        if not found:
            raise SAXException(f"the prefix {prefix} is not declared")
        return found[-1], local
