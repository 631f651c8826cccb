"""The shop's products as files: Google's formats, Shopify's, and what European shops export."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from local.simulators.shop.goods import Article
from local.simulators.wire import Answer

__all__ = ["FEEDS"]

_GOOGLE = "http://base.google.com/ns/1.0"
_Goods = Sequence[Article]


def _availability(article: Article) -> str:
    return "in_stock" if article.stock else "out_of_stock"


def _google_rows(goods: _Goods, origin: str) -> list[dict[str, str]]:
    return [
        {
            "id": article.sku,
            "title": article.title,
            "description": article.description,
            "link": f"{origin}/products/{article.slug}",
            "image_link": f"{origin}/images/{article.slug}.jpg",
            "price": f"{article.price} EUR",
            "availability": _availability(article),
            "condition": "new",
            "brand": article.brand,
            "gtin": article.barcode,
            "product_type": article.category,
        }
        for article in goods
    ]


def _google_xml(goods: _Goods, origin: str) -> Answer:
    """RSS with the namespace under another prefix than usual for half of its fields, as real feeds mix them."""
    items = []
    for row in _google_rows(goods, origin):
        plain = ("title", "description", "link")
        cells = [f"<{name}>{escape(row[name])}</{name}>" for name in plain]
        cells += [f"<g:{name}>{escape(value)}</g:{name}>" for name, value in row.items() if name not in plain]
        cells.append("<g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>")
        items.append(f"<item>{''.join(cells)}</item>")
    head = f'<?xml version="1.0" encoding="UTF-8"?><rss xmlns:g="{_GOOGLE}" version="2.0"><channel><title>Shop</title>'
    return _answer(f"{head}<link>{origin}</link>{''.join(items)}</channel></rss>".encode(), "application/xml")


def _atom_xml(goods: _Goods, origin: str) -> Answer:
    entries = []
    for row in _google_rows(goods, origin):
        cells = [f"<title>{escape(row['title'])}</title>", f'<link href="{escape(row["link"])}"/>']
        cells.append(f"<summary>{escape(row['description'])}</summary>")
        rest = {name: value for name, value in row.items() if name not in {"title", "link"}}
        cells += [f"<shop:{name}>{escape(value)}</shop:{name}>" for name, value in rest.items()]
        entries.append(f"<entry>{''.join(cells)}</entry>")
    head = f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:shop="{_GOOGLE}"><title>Shop</title>'
    return _answer(f"{head}{''.join(entries)}</feed>".encode(), "application/atom+xml")


def _google_tsv(goods: _Goods, origin: str) -> Answer:
    return _answer(_table(_google_rows(goods, origin), delimiter="\t"), "text/tab-separated-values")


def _shopify_csv(goods: _Goods, origin: str) -> Answer:
    """An export with its older headers; the first product has a row that only brings another image."""
    rows = []
    for article in goods:
        image = f"{origin}/images/{article.slug}.jpg"
        rows.append(
            {
                "Handle": article.slug,
                "Title": article.title,
                "Body (HTML)": f"<p>{escape(article.description)}</p>",
                "Vendor": article.brand,
                "Type": article.category,
                "Tags": "shop, demo",
                "Published": "true",
                "Option1 Name": "Title",
                "Option1 Value": "Default Title",
                "Variant SKU": article.sku,
                "Variant Inventory Qty": str(article.stock),
                "Variant Price": article.price,
                "Variant Compare At Price": "",
                "Variant Barcode": f"'{article.barcode}",
                "Image Src": image,
                "Image Position": "1",
            }
        )
        if article.number == 1:
            further = {"Handle": article.slug, "Image Src": image.replace(".jpg", "-back.jpg"), "Image Position": "2"}
            rows.append(dict.fromkeys(rows[0], "") | further)
    return _answer(_table(rows), "text/csv")


def _plain_rows(goods: _Goods, origin: str) -> list[dict[str, str]]:
    return [
        {
            "sku": article.sku,
            "name": article.title,
            "description": article.description,
            "category": article.category,
            "brand": article.brand,
            "price": article.price,
            "stock": str(article.stock),
            "barcode": article.barcode,
            "image_url": f"{origin}/images/{article.slug}.jpg",
        }
        for article in goods
    ]


def _csv_gz(goods: _Goods, origin: str) -> Answer:
    return _answer(gzip.compress(_table(_plain_rows(goods, origin)), mtime=0), "application/octet-stream")


def _json(goods: _Goods, origin: str) -> Answer:
    return _answer(json.dumps({"products": _objects(goods, origin)}, ensure_ascii=False).encode(), "application/json")


def _jsonl(goods: _Goods, origin: str) -> Answer:
    lines = (json.dumps(each, ensure_ascii=False) for each in _objects(goods, origin))
    return _answer(("\n".join(lines) + "\n").encode(), "application/x-ndjson")


def _objects(goods: _Goods, origin: str) -> list[dict[str, object]]:
    numbers = {article.sku: (article.cents / 100, article.stock) for article in goods}
    rows = _plain_rows(goods, origin)
    return [{**row, "price": numbers[row["sku"]][0], "stock": numbers[row["sku"]][1]} for row in rows]


def _european(goods: _Goods, _: str) -> Answer:
    rows = [
        {
            "Référence": article.sku,
            "Titre": article.title,
            "Description": article.description,
            "Catégorie": article.category,
            "Prix": _continental(article.cents),
            "Stock": f"{article.stock},0",
            "EAN13": article.barcode,
            "Brand": article.brand,
        }
        for article in goods
    ]
    return _answer(_table(rows, delimiter=";").decode().encode("cp1252"), "text/csv")


def _continental(cents: int) -> str:
    return f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d} €"


def _table(rows: Sequence[dict[str, str]], delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["sku"], delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _answer(body: bytes, kind: str) -> Answer:
    return Answer(200, body, {"Content-Type": kind})


FEEDS: dict[str, Callable[[_Goods, str], Answer]] = {
    "google.xml": _google_xml,
    "atom.xml": _atom_xml,
    "google.tsv": _google_tsv,
    "shopify.csv": _shopify_csv,
    "products.csv.gz": _csv_gz,
    "products.json": _json,
    "products.jsonl": _jsonl,
    "european.csv": _european,
}
