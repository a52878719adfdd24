"""What the repositories return: frozen values, one per row."""

from storage.records.alerts import Alert
from storage.records.clips import (
    Clip,
    Hypothesis,
    Job,
    StoredAssessment,
    features_to_json,
    speech_to_json,
)
from storage.records.journal import (
    Event,
    Preference,
)
from storage.records.models import (
    ModelVersion,
    Promotion,
)
from storage.records.recognisers import (
    RecogniserPromotion,
    RecogniserVersion,
    ReviewedClip,
)
from storage.records.reviews import (
    Claim,
    Draft,
    Person,
    QueueEntry,
    Review,
    SecondReview,
)

__all__ = [
    "Alert",
    "Claim",
    "Clip",
    "Draft",
    "Event",
    "Hypothesis",
    "Job",
    "ModelVersion",
    "Person",
    "Preference",
    "Promotion",
    "QueueEntry",
    "RecogniserPromotion",
    "RecogniserVersion",
    "Review",
    "ReviewedClip",
    "SecondReview",
    "StoredAssessment",
    "features_to_json",
    "speech_to_json",
]
