"""The quality models: which one serves, how good each is, and changing that."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ui.formats import number, percent, plain, when
from ui.identity import acting_person
from ui.messages import shown_errors
from ui.settings.left_out import left_out_text
from ui.settings.trial import show_trial
from workbench import retrain
from workbench.retrain import ModelVersion
from workbench.runtime import Runtime

__all__ = ["show_versions"]

_FIGURES = (
    ("Rank correlation (Spearman)", "spearman", number),
    ("Mean absolute error of the WER", "mae", percent),
    ("Errors found in the first 20 % of audio", "er20", percent),
    ("The same for an oracle", "er20_oracle", percent),
    ("True WERs inside their interval", "coverage", percent),
    ("Mean width of the interval", "interval_width", percent),
    ("WER of all clips together, predicted", "predicted_pooled_wer", percent),
    ("The same as it is", "pooled_wer", percent),
)


def show_versions(runtime: Runtime) -> None:
    """Show every version with its figures, the latest comparison, promotion and rollback."""
    versions = retrain.versions(runtime)
    _show_table(versions)
    newest = versions[0]
    if newest.conditions:
        _show_comparison(newest)
    show_trial(runtime)
    _show_actions(runtime, versions)
    _show_lineage(versions)


def _show_table(versions: Sequence[ModelVersion]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Version": [version.estimator for version in versions],
                "State": [version.state.capitalize() for version in versions],
                "Engine": [f"{version.engine}:{version.model}" for version in versions],
                "Trained": [when(version.created_at) for version in versions],
                "Corrections": [version.num_reviews for version in versions],
                "Clips": [version.num_clips for version in versions],
                "Spearman": [number(version.metrics.get("spearman")) for version in versions],
                "MAE": [percent(version.metrics.get("mae")) for version in versions],
                "ER@20": [percent(version.metrics.get("er20")) for version in versions],
                "Coverage": [percent(version.metrics.get("coverage")) for version in versions],
            }
        ),
        key="settings.versions",
        column_config={"Version": st.column_config.TextColumn(width=230)},
        hide_index=True,
        height="content",
    )
    st.caption(
        "Figures are from held-out clips, or cross-validated where an adaptation came before there "
        "were enough. ER@20: share of all errors in the 20 % of audio that would be reviewed "
        "first. Coverage: share of true WERs inside their interval."
    )


def _show_comparison(version: ModelVersion) -> None:
    verdict = "was refused" if version.state == "refused" else "passed the gate"
    what = "training" if version.adaptation is None else "adaptation"
    st.markdown(f"**Latest {what}:** {plain(version.estimator)} {verdict}.")
    if version.adaptation is not None:
        st.caption(f"{version.adaptation}.")
    if any(version.left_out.values()):
        st.caption(f"Reviews that it could not use: {left_out_text(version.left_out)}.")
    left, right = st.columns(2, gap="medium")
    with left:
        st.table(
            pd.DataFrame(
                [
                    (
                        label,
                        write(version.champion_metrics.get(name)),
                        write(version.metrics.get(name)),
                    )
                    for label, name, write in _FIGURES
                    if name in version.metrics
                ],
                columns=_columns(version),
            ),
            hide_index=True,
            border="horizontal",
        )
    with right:
        for is_met, text in version.conditions:
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                if is_met:
                    st.badge("Passed", icon=":material/check:", color="gray")
                else:
                    st.badge("Failed", icon=":material/close:", color="orange")
                st.markdown(plain(text), width="stretch")


def _columns(version: ModelVersion) -> list[str]:
    if version.is_cross_validated:
        return ["Cross-validated on the same clips", "Without adaptation", "This version"]
    return ["On the same held-out clips", "Champion before", "This version"]


def _show_lineage(versions: Sequence[ModelVersion]) -> None:
    with st.expander("Where a version comes from", key="settings.lineage"):
        chosen = st.selectbox(
            "Version",
            versions,
            format_func=lambda version: version.estimator,
            key="settings.lineage.version",
        )
        if chosen.id != retrain.BUILT_IN:
            st.caption("Make it again from this, and compare the files bit for bit:")
            st.code(f"werkbench reproduce {chosen.id}", language=None)
        st.json({**chosen.lineage, "metrics": dict(chosen.metrics)}, expanded=1)


def _show_actions(runtime: Runtime, versions: Sequence[ModelVersion]) -> None:
    others = [version for version in versions if version.state in {"challenger", "retired"}]
    left, right = st.columns(2, vertical_alignment="bottom")
    with left, st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Version",
            others,
            format_func=lambda version: version.estimator,
            key="settings.promote.version",
            placeholder="No other version passed the gate",
            disabled=not others,
        )
        if st.button("Promote", key="settings.promote", disabled=chosen is None) and chosen:
            with shown_errors():
                retrain.promote(runtime, chosen.id, acting_person(runtime))
                st.rerun()
    with right:
        has_former = any(v.state == "champion" and v.id != retrain.BUILT_IN for v in versions)
        if st.button("Roll back", key="settings.rollback", disabled=not has_former):
            _confirm_rollback(runtime)


@st.dialog("Roll back the quality model")
def _confirm_rollback(runtime: Runtime) -> None:
    st.markdown("The version that served before takes over, and all clips are estimated again.")
    with shown_errors(), st.container(horizontal=True):
        if st.button("Roll back now", key="settings.rollback.confirm", type="primary"):
            retrain.rollback(runtime, acting_person(runtime))
            st.rerun()
        if st.button("Keep the champion", key="settings.rollback.cancel"):
            st.rerun()
