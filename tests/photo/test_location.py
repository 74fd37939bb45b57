"""Places are searched for in the bytes of results, in every form in which a program could have hidden them."""

import base64
import io
import struct
import sys
import zlib

import pytest
from conftest import scene
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from samples import IPTC, MAKER_NOTE, SRGB, saved, tiff_of, with_thumbnail

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Metadata, Photo, Strip, decode, encode, xmp
from enlighten_cli.photo.exif_patch import ExifBlock
from enlighten_cli.photo.location import EXIF_PLACES, is_place

# Nothing else in these files says this.
DEGREES, MINUTES = 52_734_111, 13_457_222
WORDS = ("52,31.7341N", "Kreuzlingen", "Zzyzx Road")
LATITUDE, TOWN, STREET = WORDS

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
EXIF_NS, PHOTOSHOP_NS = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/photoshop/1.0/"
CORE_NS = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
EXT_NS = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"


def packet(attributes="", elements="", declared=""):
    """Write XMP that says "kept" once, and what else is given."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' dc:creator="kept &amp; safe" {declared} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '\n<?xpacket end="w"?>'
    ).encode()


def declared(**prefixes):
    return " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in prefixes.items())


PACKETS = {
    "an attribute": packet(f'exif:GPSLatitude="{LATITUDE}"', declared=declared(exif=EXIF_NS)),
    "another prefix": packet(f'e2:GPSLatitude="{LATITUDE}"', declared=declared(e2=EXIF_NS)),
    "no prefix": packet(elements=f'<GPSLatitude xmlns="{EXIF_NS}">{LATITUDE}</GPSLatitude>'),
    "single quotes, newlines": packet(f"exif:GPSLatitude\n=\n'{LATITUDE}'", declared=declared(exif=EXIF_NS)),
    "elements": packet(
        elements=f"<e:GPSLatitude>{LATITUDE}</e:GPSLatitude><e:GPSAreaInformation>{STREET}</e:GPSAreaInformation>",
        declared=declared(e=EXIF_NS),
    ),
    "character references": packet(
        'exif:GPSLatitude="' + "".join(f"&#{ord(letter)};" for letter in LATITUDE) + '"',
        declared=declared(exif=EXIF_NS),
    ),
    "photoshop": packet(
        f'p:City="{TOWN}" p:State="{TOWN}"', f"<p:Country>{TOWN}</p:Country>", declared(p=PHOTOSHOP_NS)
    ),
    "core": packet(f'c:Location="{STREET}"', f"<c:CountryCode>{TOWN}</c:CountryCode>", declared(c=CORE_NS)),
    "the creator's address": packet(
        elements=f'<c:CreatorContactInfo c:CiAdrCity="{TOWN}"><c:CiAdrExtadr>{STREET}</c:CiAdrExtadr>'
        "</c:CreatorContactInfo>",
        declared=declared(c=CORE_NS),
    ),
    "structures": packet(
        elements=f'<e:LocationCreated><rdf:Bag><rdf:li rdf:parseType="Resource"><e:City>{TOWN}</e:City>'
        f"<e:Sublocation>{STREET}</e:Sublocation></rdf:li></rdf:Bag></e:LocationCreated>"
        f'<e:LocationShown><rdf:Bag><rdf:li e:City="{TOWN}" x:GPSLatitude="{LATITUDE}"/></rdf:Bag></e:LocationShown>',
        declared=declared(e=EXT_NS, x=EXIF_NS),
    ),
    "others' namespaces": packet(
        f'd:GpsLatitude="{LATITUDE}" g:lat="{LATITUDE}"',
        f"<m:shotLocation>{STREET}</m:shotLocation><dc:coverage>{TOWN}</dc:coverage>",
        declared(
            d="http://www.dji.com/drone-dji/1.0/",
            g="http://www.w3.org/2003/01/geo/wgs84_pos#",
            m="http://ns.adobe.com/xmp/1.0/DynamicMedia/",
        ),
    ),
    "a comment": packet(elements=f"<!-- {STREET} -->"),
    "an instruction": packet(elements=f"<?where {STREET}?>"),
    "zeros behind it": packet(f'e:GPSLatitude="{LATITUDE}"', declared=declared(e=EXIF_NS)) + bytes(40),
}
UNREADABLE = {
    "not closed": packet(f'e:GPSLatitude="{LATITUDE}"', declared=declared(e=EXIF_NS))[:-60],
    "no namespaces": packet(f'exif:GPSLatitude="{LATITUDE}"'),
    "an entity": b'<!DOCTYPE x [<!ENTITY a "' + STREET.encode() + b'">]>' + packet(elements="&a;"),
    "no XML": f"GPSLatitude {LATITUDE}".encode(),
    "something behind it": packet() + STREET.encode(),
}


def gps_exif(order="<", *, times=1):
    """Build EXIF whose main and EXIF directories each name GPS directories, and whose second directory does."""

    def entry(tag, kind, count, value):
        return struct.pack(order + "HHLL", tag, kind, count, value)

    def directory(entries, link=0):
        return struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "L", link)

    def gps_at(start):
        rationals = start + 2 + 2 * 12 + 4
        north = struct.pack(order + "HHL4s", 1, 2, 2, b"N\0\0\0")
        numbers = struct.pack(order + "LL", DEGREES, 1_000_000) + struct.pack(order + "LL", MINUTES, 1_000_000)
        return directory([north, entry(2, 5, 2, rationals)]) + numbers + STREET.encode()

    gps_bytes = len(gps_at(0))
    first_count, exif_count = 2 + times, 2
    exif_at = 8 + 2 + 12 * first_count + 4
    second_at = exif_at + 2 + 12 * exif_count + 4
    model_at = second_at + 2 + 12 + 4
    note_at = model_at + 8
    places_at = [note_at + 16 + number * gps_bytes for number in range(times + 2)]
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)
    content = header + directory(
        [
            entry(0x0110, 2, 7, model_at),
            entry(0x8769, 4, 1, exif_at),
            *(entry(0x8825, 4, 1, places_at[number]) for number in range(times)),
        ],
        second_at,
    )
    content += directory([entry(0x8825, 4, 1, places_at[-2]), entry(0x927C, 7, len(MAKER_NOTE), note_at)])
    content += directory([entry(0x8825, 4, 1, places_at[-1])])
    content += b"Camera\0\0" + MAKER_NOTE.ljust(16, b"\0")
    return content + b"".join(gps_at(place) for place in places_at)


def record(number, value, kind=2):
    return struct.pack(">BBBH", 0x1C, kind, number, len(value)) + value


LONG_RECORD = struct.pack(">BBBHL", 0x1C, 2, 95, 0x8004, len(TOWN)) + TOWN.encode()
IPTC_PLACES = b"".join(record(number, TOWN.encode()) for number in (26, 27, 90, 92, 95, 100, 101)) + IPTC + LONG_RECORD


def raw_profile(kind, content):
    return f"\n{kind}\n{len(content):>8}\n{content.hex()}\n"


def findings(content):
    """Return what of the places is still in a file, decompressed where PNG and TIFF compress."""
    places = [content]
    if content.startswith(b"\x89PNG"):
        place = 8
        while place < len(content):
            (size,) = struct.unpack_from(">L", content, place)
            body = content[place + 8 : place + 8 + size]
            for start in (body.find(b"\0") + 2, body.find(b"\0\1\0") + 5):
                try:
                    places.append(zlib.decompress(body[start:]))
                except zlib.error:
                    continue
            place += size + 12
    numbers = [struct.pack(order + "L", number) for order in "<>" for number in (DEGREES, MINUTES)]
    forms = [form for word in WORDS for form in (word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"))]
    forms += [base64.b64encode(word.encode())[:-4] for word in WORDS]
    forms += numbers
    forms += [form.hex().encode() for form in forms]
    return [form for form in forms for place in places if form in place.replace(b"\n", b"").lower() or form in place]


def jpeg(**options):
    return saved(Image.fromarray(scene(16, 16)), "JPEG", **options)


def png(texts=(), **options):
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in texts:
        add = chunks.add_itxt if keyword.startswith("XML") else chunks.add_text
        add(keyword, value, zip=len(value) > 100)
    return saved(Image.fromarray(scene(16, 16)), "PNG", pnginfo=chunks, **options)


def with_iptc(iptc):
    return encode(Photo(scene(16, 16), "JPEG", metadata=Metadata(iptc=iptc)))


EXIF = b"Exif\0\0" + gps_exif()
PHOTOS = {
    **{f"JPEG, XMP, {name}": jpeg(xmp=content) for name, content in PACKETS.items()},
    **{f"JPEG, XMP, {name}": jpeg(xmp=content) for name, content in UNREADABLE.items()},
    **{
        f"{name}, XMP": saved(Image.fromarray(scene(16, 16)), name, xmp=PACKETS["structures"])
        for name in ("WEBP", "AVIF")
    },
    "TIFF, XMP": tiff_of({700: PACKETS["elements"]}),
    "PNG, XMP": png([("XML:com.adobe.xmp", PACKETS["photoshop"].decode())]),
    "PNG, XMP compressed": png([("XML:com.adobe.xmp", PACKETS["structures"].decode() + " " * 999)]),
    "PNG, raw profile xmp": png([("Raw profile type xmp", raw_profile("xmp", PACKETS["core"]))]),
    "PNG, raw profile APP1, XMP": png(
        [("Raw profile type APP1", raw_profile("app1", b"http://ns.adobe.com/xap/1.0/\0" + PACKETS["core"]))]
    ),
    "PNG, raw profile exif beside eXIf": png([("Raw profile type exif", raw_profile("exif", EXIF))], exif=EXIF),
    "PNG, raw profiles exif and APP1": png(
        [("Raw profile type exif", raw_profile("exif", EXIF)), ("Raw profile type APP1", raw_profile("app1", EXIF))]
    ),
    "PNG, raw profile iptc": png([("Raw profile type iptc", raw_profile("iptc", IPTC_PLACES))]),
    "PNG, raw profile 8bim": png([("Raw profile type 8bim", raw_profile("8bim", IPTC_PLACES))]),
    "PNG, raw profile nobody knows": png([("Raw profile type where", raw_profile("where", STREET.encode()))]),
    "PNG, texts": png(
        [
            ("exif:GPSLatitude", LATITUDE),
            ("GPSPosition", LATITUDE),
            ("GPS Latitude", LATITUDE),
            ("exif:GPSInfo", STREET),
            ("photoshop:City", TOWN),
            ("City", TOWN),
            ("Location", STREET),
            ("Country", TOWN),
            ("xmp", PACKETS["core"].decode("latin-1")),
            ("dump", f"GPS Latitude : {LATITUDE}"),
        ]
    ),
    "JPEG, EXIF little-endian": jpeg(exif=EXIF),
    "JPEG, EXIF big-endian": jpeg(exif=b"Exif\0\0" + gps_exif(">")),
    "JPEG, three entries": jpeg(exif=b"Exif\0\0" + gps_exif(times=3)),
    "WebP, EXIF": saved(Image.fromarray(scene(16, 16)), "WEBP", exif=EXIF),
    "PNG, EXIF": png(exif=EXIF),
    "AVIF, EXIF": saved(Image.fromarray(scene(16, 16)), "AVIF", exif=EXIF),
    "TIFF, GeoTIFF": tiff_of({33922: (float(DEGREES),) * 6, 34737: TOWN, 42112: f"<a>{STREET}</a>"}),
    "JPEG, XMP and IPTC inside EXIF": jpeg(exif=b"Exif\0\0" + tiff_of({700: PACKETS["core"], 33723: IPTC_PLACES})),
    "JPEG, IPTC": with_iptc(IPTC_PLACES),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_names_its_places_until_they_are_stripped(name):
    """Every case is checked to have them at first, so that none can pass for want of a place."""
    source = PHOTOS[name]
    if name not in ("JPEG, XMP, character references", "JPEG, XMP, an entity", "TIFF, GeoTIFF"):
        assert findings(source)
    photo = decode(source)
    for format in ("JPEG", "PNG", "TIFF", "WEBP"):
        assert findings(encode(photo.stripped(Strip.GPS), format)) == []
        assert findings(encode(photo.stripped(Strip.ALL), format)) == []


@pytest.mark.parametrize("name", PACKETS)
def test_the_rest_of_xmp_is_kept(name):
    stripped = decode(jpeg(xmp=PACKETS[name])).stripped(Strip.GPS)
    assert b'dc:creator="kept &amp; safe"' in stripped.metadata.xmp
    assert b"<?xpacket begin=" in stripped.metadata.xmp
    assert stripped.notes == ()
    assert (
        Image.open(io.BytesIO(encode(stripped))).getxmp()["xmpmeta"]["RDF"]["Description"]["creator"] == "kept & safe"
    )


@pytest.mark.parametrize("name", UNREADABLE)
def test_xmp_that_cannot_be_searched_goes_whole_and_is_said(name):
    stripped = decode(jpeg(xmp=UNREADABLE[name])).stripped(Strip.GPS)
    assert stripped.metadata.xmp is None
    assert stripped.notes == ("its XMP cannot be searched for places and is left out: not well-formed XML",)
    assert decode(jpeg(xmp=UNREADABLE[name])).stripped(Strip.NOTHING).metadata.xmp == UNREADABLE[name]


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_rest_of_exif_is_kept_where_it_was(order):
    before = gps_exif(order, times=2)
    after = decode(jpeg(exif=b"Exif\0\0" + before)).stripped(Strip.GPS).metadata.exif
    assert len(after) == len(before)
    assert after.index(MAKER_NOTE) == before.index(MAKER_NOTE)
    block = Image.Exif()
    block.load(after)
    assert block[0x0110] == "Camera"
    assert dict(block.get_ifd(0x8769)) == {0x927C: MAKER_NOTE}
    assert 0x8825 not in block


def test_the_rest_of_iptc_is_kept():
    assert decode(with_iptc(IPTC_PLACES)).stripped(Strip.GPS).metadata.iptc == IPTC
    assert decode(with_iptc(IPTC)).stripped(Strip.GPS).metadata.iptc == IPTC
    other = record(90, b"a name, not a town", kind=3)
    assert decode(with_iptc(other)).stripped(Strip.GPS).metadata.iptc == other


def test_comments_texts_and_profiles_are_kept():
    photo = decode(jpeg(comment=b"my words", icc_profile=SRGB)).stripped(Strip.GPS)
    assert (photo.metadata.comments, photo.metadata.icc_profile) == ((b"my words",), SRGB)
    texts = (("Author", "somebody"), ("Title", "Locomotive"), ("Software", "GPS is not its name"))
    assert decode(png(texts)).stripped(Strip.GPS).metadata.text == texts
    assert decode(png(texts)).stripped(Strip.ALL).metadata == Metadata()


def test_a_thumbnail_does_not_keep_them():
    picture = with_thumbnail(gps_exif())
    assert findings(ExifBlock(picture).without(EXIF_PLACES)) == []


@given(st.lists(st.sampled_from(["GPSLatitude", "creator", "City", "Location", "title"]), max_size=6), st.booleans())
def test_names_of_places_go_and_all_others_stay(names, as_elements):
    """In RDF's two forms, at any place among the others."""
    numbered = [(name, f"value{number}") for number, name in enumerate(names)]
    elements = "".join(f"<p:{name}>{value}</p:{name}>" for name, value in numbered)
    attributes = " ".join(f'p{number}:{name}="{value}"' for number, (name, value) in enumerate(numbered))
    prefixes = {f"p{number}": PHOTOSHOP_NS + str(number) for number in range(len(names))}
    source = (
        packet(elements=elements, declared=declared(p=PHOTOSHOP_NS))
        if as_elements
        else packet(attributes, declared=declared(**prefixes))
    )
    result = xmp.without(source, is_place)
    for name, value in numbered:
        assert (value.encode() in result) == (name in ("creator", "title"))
    assert xmp.without(result, is_place) == result


@given(st.binary(max_size=300))
def test_no_iptc_breaks_anything(noise):
    for content in (noise, IPTC_PLACES[:40] + noise, IPTC_PLACES + noise):
        stripped = Photo(scene(1, 1), "PNG", metadata=Metadata(iptc=content)).stripped(Strip.GPS).metadata.iptc
        assert stripped is None or TOWN.encode() not in stripped


def calls_to_strip(content):
    """Count what Python does; what is called is either linear itself (expat) or no pattern at all."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    photo = Photo(scene(1, 1), "PNG", metadata=Metadata(xmp=content))
    sys.setprofile(count)
    try:
        stripped = photo.stripped(Strip.GPS)
    finally:
        sys.setprofile(None)
    return calls, stripped


HOSTILE_XMP = {
    "spaces": lambda size: b" " * size,
    "spaces in an element": lambda size: packet(elements=" " * size),
    "openings": lambda size: b"<exif:GPSa " * (size // 11),
    "depth": lambda size: packet(elements="<a>" * (size // 7) + "</a>" * (size // 7)),
    "attributes": lambda size: packet(" ".join(f'a{number}=""' for number in range(size // 10))),
    "namespaces": lambda size: packet(
        elements="".join(f'<p{number}:a xmlns:p{number}="u">' for number in range(size // 40))
        + "".join(f"</p{number}:a>" for number in reversed(range(size // 40)))
    ),
}


@pytest.mark.parametrize("name", HOSTILE_XMP)
def test_xmp_costs_no_more_than_its_size(name):
    (small, _), (large, _) = (calls_to_strip(HOSTILE_XMP[name](size)) for size in (1 << 14, 1 << 18))
    assert large < 17 * small


@pytest.mark.parametrize("name", ["depth", "attributes"])
def test_xmp_longer_than_any_program_writes_it_goes_whole(name, monkeypatch):
    monkeypatch.setattr(xmp, "MOST_NODES", 10_000)
    sizes = {"depth": 7, "attributes": 10}
    for nodes, is_kept in ((9_980, True), (10_001, False), (100_000, False)):
        calls, stripped = calls_to_strip(HOSTILE_XMP[name](nodes * sizes[name]))
        assert (stripped.metadata.xmp is not None) == is_kept
        assert calls < 40 * 10_000
    assert stripped.notes == ("its XMP cannot be searched for places and is left out: more than 10,000 elements",)


def test_a_small_png_with_a_large_text_is_no_trap():
    """In 400 bytes 200,000 spaces fit, over which the former pattern took 25 seconds, and 1 MB over minutes."""
    content = png([("XML:com.adobe.xmp", " " * 1_000_000)])
    assert len(content) < 3_000
    photo = decode(content).stripped(Strip.GPS)
    assert photo.metadata.xmp is None
    assert photo.notes == ("its XMP cannot be searched for places and is left out: not well-formed XML",)


def test_texts_beyond_any_reason_are_left_out_and_said():
    photo = decode(png([(f"Text {number}", "x" * 1_000_000) for number in range(9)]))
    assert photo.metadata.text == ()
    assert photo.notes == ("its text chunks are more than 8 MB: left out",)
    with pytest.raises(PhotoError):
        decode(png([("Text", "x" * 1_100_000)]))  # Pillow's own limit of one


@given(st.data())
def test_leaving_places_out_twice_is_leaving_them_out_once(data):
    """Whatever numbers in the directories are wrong, also where they lead into each other."""
    content = bytearray(gps_exif(times=2))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(4, len(content) - 1))
        content[place] = data.draw(st.sampled_from([0, 1, 2, 4, 8, 13, 0x69, 0x87, 0xFF, place & 0xFF]))
    once = Photo(scene(1, 1), "PNG", metadata=Metadata(exif=bytes(content))).stripped(Strip.GPS)
    assert once.stripped(Strip.GPS).metadata == once.metadata


def test_directories_made_to_overlap_cost_no_more_than_their_size(monkeypatch):
    """Each SubIFD is another, and each begins within the one before: the square of the size in entries."""
    counted = 0
    read = ExifBlock._read

    def counting(self, kind, place):
        nonlocal counted
        counted += 1
        return read(self, kind, place)

    monkeypatch.setattr(ExifBlock, "_read", counting)
    count = 4000
    offsets = struct.pack(f"<{count}L", *(26 + 4 * number for number in range(count)))
    content = b"II*\0\x08\0\0\0" + struct.pack("<HHHLLL", 1, 0x014A, 4, count, 26, 0) + offsets.ljust(60_000, b"\x10")
    stripped = Photo(scene(1, 1), "PNG", metadata=Metadata(exif=content)).stripped(Strip.GPS)
    assert counted < 8 * len(content) + (1 << 16)
    assert stripped.metadata.exif is None
    assert stripped.notes == ("its EXIF cannot be searched for places and is left out: the directories overlap",)
