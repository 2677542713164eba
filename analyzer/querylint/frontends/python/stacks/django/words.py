"""Django's names: field classes, lookups, methods of querysets and of rows."""

from __future__ import annotations

from querylint.ir import Relation
from querylint.pattern import Pattern

MODEL_BASES = frozenset(
    "django.db.models.Model django.db.models.base.Model django.contrib.gis.db.models.Model mptt.models.MPTTModel "
    "django.contrib.auth.models.AbstractUser django.contrib.auth.models.AbstractBaseUser django.contrib.auth.base_user.AbstractBaseUser "
    "django.contrib.auth.models.PermissionsMixin django.contrib.auth.models.User django.contrib.auth.models.Group "
    "treebeard.mp_tree.MP_Node model_utils.models.TimeStampedModel model_utils.models.TimeFramedModel model_utils.models.StatusModel "
    "django_extensions.db.models.TimeStampedModel parler.models.TranslatableModel polymorphic.models.PolymorphicModel "
    "django.contrib.auth.get_user_model() wagtail.models.Page wagtail.core.models.Page modelcluster.models.ClusterableModel".split()
)
CONCRETE_BASES = frozenset(
    "django.contrib.auth.models.User django.contrib.auth.models.Group django.contrib.auth.get_user_model() wagtail.models.Page "
    "wagtail.core.models.Page".split()
)
"""Those among them that have a table of their own."""
USER_BASES = frozenset(("AbstractUser", "User", "get_user_model()"))
FOREIGN = frozenset("ForeignKey OneToOneField ParentalKey TreeForeignKey TreeOneToOneField ForeignObject SafeForeignKey".split())
ONE_TO_ONE = frozenset(("OneToOneField", "TreeOneToOneField"))
MANY = frozenset("ManyToManyField ParentalManyToManyField TreeManyToManyField SortedManyToManyField".split())
TAGS = frozenset(("TaggableManager", "ClusterTaggableManager"))
"""Relations of django-taggit, which leads to tags of its own unless told otherwise."""
GENERIC = "GenericForeignKey"
GENERIC_MANY = "GenericRelation"
TYPES = {
    "CharField": "string", "TextField": "string", "SlugField": "string", "EmailField": "string", "URLField": "string",
    "UUIDField": "string",    "GenericIPAddressField": "string",
    "FilePathField": "string", "FileField": "string", "ImageField": "string", "IPAddressField": "string",
    "IntegerField": "number", "BigIntegerField": "number", "SmallIntegerField": "number", "PositiveIntegerField": "number",
    "PositiveSmallIntegerField": "number", "PositiveBigIntegerField": "number", "FloatField": "number", "DecimalField": "number",
    "AutoField": "number", "BigAutoField": "number", "SmallAutoField": "number", "DurationField": "number", "BooleanField": "boolean",
    "NullBooleanField": "boolean", "DateField": "number", "DateTimeField": "number", "TimeField": "number", "JSONField": "object",
    "ArrayField": "array", "BinaryField": "bytes", "HStoreField": "object",
}  # fmt: skip
LOOKUPS = {
    "exact": Relation.EQ, "in": Relation.IN, "lt": Relation.LT, "lte": Relation.LTE, "gt": Relation.GT, "gte": Relation.GTE,
    "isnull": Relation.OTHER, "iexact": Relation.OTHER, "contains": Relation.OTHER, "icontains": Relation.OTHER, "range": Relation.GTE,
    "startswith": Relation.OTHER, "istartswith": Relation.OTHER, "endswith": Relation.OTHER, "iendswith": Relation.OTHER,
    "regex": Relation.OTHER, "iregex": Relation.OTHER, "search": Relation.SEARCH, "date": Relation.OTHER, "year": Relation.OTHER,
    "month": Relation.OTHER, "day": Relation.OTHER, "hour": Relation.OTHER, "week": Relation.OTHER, "contained_by": Relation.OTHER,
    "overlap": Relation.OTHER, "has_key": Relation.OTHER, "trigram_similar": Relation.OTHER, "time": Relation.OTHER,
}  # fmt: skip
BUILDERS = frozenset(
    "all filter exclude order_by select_related prefetch_related only defer annotate alias distinct reverse using none select_for_update "
    "extra union intersection difference complex_filter iterator aiterator values values_list dates datetimes get_queryset specific "
    "live public non_polymorphic instance_of _clone _all db_manager language visible get_query_set".split()
)
ELSEWHERE = Pattern(r"^(?:switch_|use_|using_|set_|in_)?(?:schema|tenant|database|db|shard)_(?:context|scope|override|connection)$")
"""Context managers of libraries that send what is asked inside of them to the database, or the schema, of one tenant."""
OWN = "rows of the class"
"""A call that nobody wrote: the framework takes the rows over, and the class that describes the list says what comes along with them."""
JOINS = "joins of the list"
"""Another: what the list joins, unless its queryset joins something already."""
ROWS = frozenset(("raw",))
AGGREGATES = frozenset("Count Sum Avg Max Min StdDev Variance".split())
ONE = frozenset("get first last latest earliest".split())
OTHER_TABLE = frozenset("get_all_objects_for_this_type get_object_for_this_type model_class".split())
"""Methods of a content type that lead to the table that it stands for, whichever that is."""
REMEMBERED = frozenset("get_for_model get_for_id get_by_natural_key".split())
"""Methods by which a process looks a content type up once and keeps it (`ContentTypeManager`)."""
STORED = {"ContentType": "django_content_type", "Site": "django_site"}
"""Models of Django's own whose tables do not begin with the name of their application, which is `auth` for the others."""
SHOWING = frozenset("format_html conditional_escape escape escapejs force_str smart_str force_text smart_text".split())
"""What of `django.utils` makes a text of what it is given."""
CHOOSER = "get_serializer_class"
CLASS = "serializer_class"
METHODS = {"list": "GET", "retrieve": "GET", "create": "POST", "update": "PUT", "partial_update": "PATCH", "destroy": "DELETE"}
"""The actions of a viewset, by the methods of HTTP that ask for them."""
COUNTS = frozenset("count exists aggregate contains explain".split())
WRITES = frozenset("create get_or_create update_or_create bulk_create bulk_update update delete _raw_delete add remove set clear".split())
FILES = frozenset(("FileField", "ImageField"))
ROW_WRITES = frozenset("save delete asave adelete save_base".split())
KEEPING = frozenset("all count exists iterator".split())
SHORTCUTS = {"get_object_or_404": "get", "aget_object_or_404": "get", "get_list_or_404": "list", "aget_list_or_404": "list"}
FACTORY = "_set"
BUILT_IN = (
    (
        "User",
        "django.contrib.auth.models.User",
        "username email first_name last_name password is_active is_staff is_superuser last_login date_joined",
        "username",
    ),
    ("Group", "django.contrib.auth.models.Group", "name", "name"),
    ("Permission", "django.contrib.auth.models.Permission", "name codename", "content_type codename"),
    ("ContentType", "django.contrib.contenttypes.models.ContentType", "app_label model", "app_label model"),
    ("Site", "django.contrib.sites.models.Site", "domain name", "domain"),
)
"""Models that Django brings along: name, class, columns besides keys, and the columns that are unique together."""

TREES = ("treebeard.", "mptt.")
"""Packages whose models keep the place of each row in a tree, which writes of many rows at once would not give them."""
