"""What an instrument file says of the chain of products of one camera, of their names, and of where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NONE: Mapping[str, str] = MappingProxyType({})


class ChainSpec(NamedTuple):
    """The chain of products.

    Parameters
    ----------
    instrument : str
        Name of the instrument whose chain it is.
    file : str
        Regular expression of the name of a product, without suffix, with the groups product, camera and expid.
    products : tuple of str
        Products in the order in which they are made; one that is not listed comes after them.
    shown : tuple of str
        What is stepped through, in order: products and computed ones.
    first : tuple of str
        What is shown of an exposure if nothing was chosen, the best first.
    computed : mapping of str to (str, str)
        Product that is no file to the two that it is the quotient of.
    titles : mapping of str to str
        Names for people, where they differ.
    calibrations : mapping of str to str
        File family of a calibration of a night (its number is that of the night) to the product that it stands for.
    defaults : mapping of str to tuple of str
        Product to files that stand for it where a night has none, below a folder of calibrations; {camera}, {arm} and
        {CARD} of the header of the spectra stand for themselves, the first pattern that finds one counts.
    defaults_in : str
        Variable of the environment that names that folder.
    same : mapping of str to str
        Another name of a product in the folder of its exposure to that product.
    trees : tuple of str
        Folders of a production with folders NIGHT/EXPID in them.
    calibration_tree, tile_tree : str
        Folders of a production with a folder of each night, and with */TILE in them.
    raw_file : str
        Regular expression of the file of all cameras before any step, without suffix, with the group expid.
    raw_trees : tuple of str
        Where those lie, NIGHT/EXPID below each, from the root of a production.
    logs : str
        Regular expression of the names of tables of exposures.
    night_logs : tuple of str
        Tables of one night, {month} and {night} standing for themselves.
    logs_beside : tuple of str
        Tables beside a production, {name} standing for its own name.
    tile_files : tuple of str
        Regular expressions of products of tiles, without suffix, with the groups family, tile, group, maybe a part.
    tiles : tuple of str
        Their families, in the order in which they are listed; others are none.
    fibers : tuple of str
        Products that have a table of the fibers, for those that have none.
    contents : mapping of str to tuple of str
        What a header begins with (EXTNAME and BUNIT, a space between) to the products that are stored so, for files
        whose names say nothing.
    judged : tuple of str
        One of these makes a camera worth a triage.
    detector : str
        The product that traces are measured on.
    roles : mapping of str to str
        Product to what it is for the triage, where that has another name.
    made_from : mapping of str to tuple of str
        Product to the products that a change of it makes stale.
    seen_between : mapping of str to tuple of str
        First bad step to pairs of products (two words each) between which it is seen, the best first.
    steps : mapping of str to str
        First wrong step of a finding to the product that shows it first, where that has another name.
    lamps : tuple of str
        Types of exposures without a sky.
    field : tuple of str
        Products that tell side by side, over the field, where light comes in.
    """

    instrument: str = ""
    file: str = ""
    products: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    computed: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    titles: Mapping[str, str] = NONE
    calibrations: Mapping[str, str] = NONE
    defaults: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    defaults_in: str = ""
    same: Mapping[str, str] = NONE
    trees: tuple[str, ...] = ()
    calibration_tree: str = ""
    tile_tree: str = ""
    raw_file: str = ""
    raw_trees: tuple[str, ...] = ()
    logs: str = ""
    night_logs: tuple[str, ...] = ()
    logs_beside: tuple[str, ...] = ()
    tile_files: tuple[str, ...] = ()
    tiles: tuple[str, ...] = ()
    fibers: tuple[str, ...] = ()
    contents: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    judged: tuple[str, ...] = ()
    detector: str = ""
    roles: Mapping[str, str] = NONE
    made_from: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    seen_between: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    steps: Mapping[str, str] = NONE
    lamps: tuple[str, ...] = ()
    field: tuple[str, ...] = ()

    @property
    def made(self) -> frozenset[str]:
        """Products that are made from others."""
        return frozenset(product for products in self.made_from.values() for product in products)

    def title(self, product: str) -> str:
        """A product as people read it."""
        return self.titles.get(product, product)

    def stored(self, product: str) -> str:
        """The file that a product is, or is first of all made of."""
        return self.computed[product][0] if product in self.computed else product

    def role(self, product: str) -> str:
        """What a product is for the triage."""
        return self.roles.get(product, product)

    def place(self, product: str) -> tuple[int, str]:
        """For sorting products in the order in which they are made."""
        return (self.products.index(product) if product in self.products else len(self.products)), product
