"""Questions: their record and files, the generators that draw them, and the data sets that provide them.

Every graph question is proved when it is drawn and when it is read: the target can be reached, the other
option cannot, and the steps are a shortest path. Needs no torch.
"""
