"""What the ledger says of accounts of a grid; one that nobody took from yet stands there with nothing taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from scheme.ledger import Account, Balance, Ledger
from scheme.ledger.accounts import AccountBook


def find_balances(ledger: Ledger, book: AccountBook, account_ids: Collection[str]) -> Mapping[str, Balance]:
    """Return accounts of a grid by id.

    Args:
        ledger: Where they are counted once something is taken from them.
        book: Every account of the grid.
        account_ids: Those wanted; ids the grid has not are left out.
    """
    wanted = {account.account_id: account for account in book.accounts if account.account_id in account_ids}
    used = {found.account.account_id: found for found in ledger.find_accounts(list(wanted))} if wanted else {}
    return {name: used.get(name) or _unused(account) for name, account in wanted.items()}


def _unused(account: Account) -> Balance:
    return Balance(account=account, held_va=0, posted_va=0, version=0, is_current=True, is_overcommitted=False)
