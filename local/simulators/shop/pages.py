"""The shop's pages: structured data good, broken and absent, meta tags in both orders, a price only a script knows."""

import json
from collections.abc import Sequence
from html import escape

from local.simulators.shop.goods import Article
from local.simulators.wire import Answer

__all__ = ["home", "product_page", "robots", "shopify_list", "sitemap", "woocommerce_list"]

_Goods = Sequence[Article]


def home(goods: _Goods) -> Answer:
    """Return the first page: a link to every product."""
    links = "".join(f'<li><a href="/products/{article.slug}">{escape(article.title)}</a></li>' for article in goods)
    return _html("<title>Shop</title>", f"<h1>Shop</h1><ul>{links}</ul><a href='/about'>About</a>")


def robots(origin: str) -> Answer:
    """Return a robots.txt that forbids by wildcard."""
    text = f"User-agent: *\nDisallow: /products/*-secret\nDisallow: /cart\nSitemap: {origin}/sitemap.xml\n"
    return Answer(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def sitemap(goods: _Goods, origin: str) -> Answer:
    """Return every page of the shop."""
    pages = [f"{origin}/", *(f"{origin}/products/{article.slug}" for article in goods)]
    places = "".join(f"<url><loc>{escape(page)}</loc></url>" for page in pages)
    text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'
    return Answer(200, text.encode(), {"Content-Type": "application/xml"})


def shopify_list(goods: _Goods, origin: str) -> Answer:
    """Return the public product list, which knows no quantities."""
    products = [
        {
            "id": 7000 + article.number,
            "title": article.title,
            "handle": article.slug,
            "body_html": f"<p>{escape(article.description)}</p>",
            "vendor": article.brand,
            "product_type": article.category,
            "tags": ["shop", "demo"],
            "variants": [
                {
                    "id": 9000 + article.number,
                    "title": "Default Title",
                    "sku": article.sku,
                    "price": article.price,
                    "available": article.stock > 0,
                }
            ],
            "images": [{"id": article.number, "src": f"{origin}/images/{article.slug}.jpg"}],
        }
        for article in goods
    ]
    return _json({"products": products})


def woocommerce_list(goods: _Goods, origin: str) -> Answer:
    """Return the products as WooCommerce's Store API does: prices as text in minor units."""
    return _json(
        [
            {
                "id": article.number,
                "name": article.title,
                "sku": article.sku,
                "permalink": f"{origin}/products/{article.slug}",
                "description": f"<p>{escape(article.description)}</p>",
                "prices": {"price": str(article.cents), "currency_code": "EUR", "currency_minor_unit": 2},
                "images": [{"src": f"{origin}/images/{article.slug}.jpg"}],
                "categories": [{"id": 1, "name": article.category}],
                "is_in_stock": article.stock > 0,
                "low_stock_remaining": None,
            }
            for article in goods
        ]
    )


def product_page(article: Article, origin: str) -> Answer:
    """Return a product's page in its own way of telling."""
    return _PAGES.get(article.slug, _with_json_ld)(article, origin)


def _with_json_ld(article: Article, origin: str) -> Answer:
    return _html(_block(json.dumps(_node(article, origin))) + _meta(article, origin), _shown(article))


def _broken_json_ld(article: Article, origin: str) -> Answer:
    broken = json.dumps(_node(article, origin))[:-20] + ',, "offers": {'
    return _html(_block(broken) + _meta(article, origin), _shown(article))


def _microdata(article: Article, _: str) -> Answer:
    return _html(
        f"<title>{escape(article.title)}</title>",
        f'<div itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">{escape(article.title)}</h1>'
        f'<img itemprop="image" src="/images/{article.slug}.jpg"><meta itemprop="sku" content="{article.sku}">'
        f'<p itemprop="description">{escape(article.description)}</p>'
        f'<div itemprop="brand" itemscope itemtype="https://schema.org/Brand"><span itemprop="name">{article.brand}</span></div>'
        f'<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        f'<span itemprop="price" content="{article.price}">{article.price} EUR</span>'
        f'<meta itemprop="priceCurrency" content="EUR">'
        f'<link itemprop="availability" href="https://schema.org/InStock"></div></div>',
    )


def _reversed_meta(article: Article, origin: str) -> Answer:
    return _html(_meta(article, origin, turned=True), _shown(article))


def _price_in_script(article: Article, origin: str) -> Answer:
    script = f"<script>window.product = {{price: {article.price}, currency: 'EUR'}};</script>"
    return _html(
        _meta(article, origin, priced=False) + script, f"<h1>{escape(article.title)}</h1><div id='price'></div>"
    )


def _node(article: Article, origin: str) -> dict[str, object]:
    state = "InStock" if article.stock else "OutOfStock"
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": article.title,
        "sku": article.sku,
        "gtin13": article.barcode,
        "description": article.description,
        "brand": {"@type": "Brand", "name": article.brand},
        "category": article.category,
        "image": [f"{origin}/images/{article.slug}.jpg"],
        "aggregateRating": {"@type": "AggregateRating", "ratingValue": 4.6, "reviewCount": 31},
        "offers": {
            "@type": "Offer",
            "price": article.price,
            "priceCurrency": "EUR",
            "availability": f"https://schema.org/{state}",
        },
    }


def _meta(article: Article, origin: str, *, turned: bool = False, priced: bool = True) -> str:
    told = {
        "og:type": "product",
        "og:title": article.title,
        "og:description": article.description,
        "og:image": f"{origin}/images/{article.slug}.jpg",
        "product:retailer_item_id": article.sku,
        "product:brand": article.brand,
    }
    if priced:
        told |= {"product:price:amount": article.price, "product:price:currency": "EUR"}
    form = '<meta content="{1}" property="{0}">' if turned else '<meta property="{0}" content="{1}">'
    return "".join(form.format(name, escape(value)) for name, value in told.items())


def _block(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


def _shown(article: Article) -> str:
    return f"<h1>{escape(article.title)}</h1><p>{escape(article.description)}</p><p>{article.price} EUR</p>"


def _html(head: str, body: str) -> Answer:
    text = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return Answer(200, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _json(body: object) -> Answer:
    return Answer(
        200, json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json; charset=utf-8"}
    )


_PAGES = {
    "clay-mug": _broken_json_ld,
    "oak-stool": _microdata,
    "wool-scarf": _reversed_meta,
    "glass-vase": _price_in_script,
}
