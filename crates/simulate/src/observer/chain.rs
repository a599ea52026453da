//! One chain of attempts of one person under one world: what stays the same over the chain is given by a
//! context, and an obstacle that stopped one attempt may still stand in the next.

use authstitch_model::{
    Browser, Cause, EventName, Flow, Millis, Os, Outcome, Phase, Side, Synthetic, Transport, UnixNanos,
};

use super::density::Duration;
use super::model::{FLOWS, Model, SegmentModel};
use super::offset::{Bridge, Offset, offset};
use super::seen::{Emitter, Seen, Sighting, seconds};
use super::walk::{Found, Leaves, Next, POINTS, Setting, walk};
use crate::life::{effective_timeout, stands};
use crate::world::{Form, Style};

/// The weight of each cause of each attempt of a chain, and the logarithm of what they are a share of.
pub(super) struct Weighed {
    pub(super) causes: Vec<[f64; Cause::COUNT]>,
    pub(super) log_likelihood: f64,
}

/// What does not change along a chain.
struct Context<'a> {
    segment: &'a SegmentModel,
    style: &'a Style,
    phone_emits: bool,
    weight: f64,
}

/// A transport with at least this share is likely.
const LIKELY: f64 = 0.3;

/// An obstacle that may still stand.
type Standing = Option<(Cause, Phase)>;

/// Weighs a chain of attempts, in their order, none without an event.
pub(super) fn weigh(model: &Model, chain: &[Vec<Sighting>], turn: f64) -> Weighed {
    let base = chain.iter().flatten().map(|seen| seen.arrives).min().unwrap_or(UnixNanos(0));
    let [page, phone] = offsets(model, chain, base);
    let seen: Vec<Seen> =
        chain.iter().map(|sightings| Seen::new(sightings, base, [page.ahead, phone.ahead])).collect();
    let blur = [page.blur, phone.blur];
    let mut sum = vec![[0.0; Cause::COUNT]; chain.len()];
    let mut total = 0.0;
    let contexts = contexts(model, chain, &seen);
    let found: Vec<Vec<Found>> = contexts
        .iter()
        .map(|context| {
            (0..seen.len()).map(|nth| look(model, context, &seen, chain, nth, blur, turn)).collect()
        })
        .collect();
    let mut log_scale = 0.0;
    let scales: Vec<f64> = (0..seen.len())
        .map(|nth| {
            let largest = found.iter().map(|of| everything(&of[nth])).fold(1e-280, f64::max);
            log_scale += largest.ln();
            1.0 / largest
        })
        .collect();
    for (context, found) in contexts.iter().zip(&found) {
        let (causes, likelihood) = along(model, context, &seen, found, &scales);
        total += context.weight * likelihood;
        for (sum, causes) in sum.iter_mut().zip(&causes) {
            for (sum, cause) in sum.iter_mut().zip(causes) {
                *sum += context.weight * likelihood * cause;
            }
        }
    }
    for causes in &mut sum {
        for cause in causes {
            *cause /= f64::max(total, 1e-300);
        }
    }
    Weighed { causes: sum, log_likelihood: log_scale + total.max(1e-300).ln() }
}

fn everything(found: &Found) -> f64 {
    found.success + found.leaves.iter().flatten().sum::<f64>()
}

/// The posterior of each attempt and the likelihood of all, within a context.
fn along(
    model: &Model,
    context: &Context<'_>,
    seen: &[Seen],
    found: &[Found],
    scales: &[f64],
) -> (Vec<[f64; Cause::COUNT]>, f64) {
    let still = model.world.people.retry.still_there;
    let flows: Vec<Flow> = seen.iter().map(|seen| flow_of(context, seen)).collect();
    let same_flow = |nth: usize| nth + 1 < seen.len() && flows[nth] == flows[nth + 1];
    // What the later attempts say of what stopped an attempt.
    let mut later: Vec<Leaves> = vec![[[1.0; Phase::COUNT]; Cause::COUNT]; seen.len()];
    let mut later_plain = vec![1.0; seen.len()];
    let mut of: Vec<Found> = found.to_vec();
    for nth in (0..seen.len()).rev() {
        let scale = scales[nth];
        let of = &mut of[nth];
        for leaves in [&mut of.leaves, &mut of.standing] {
            for (leaf, later) in leaves.iter_mut().flatten().zip(later[nth].iter().flatten()) {
                *leaf *= scale * later;
            }
        }
        of.success *= scale * later_plain[nth];
        if nth == 0 {
            break;
        }
        let all = everything(of);
        later_plain[nth - 1] = all;
        for cause in Cause::ALL {
            for phase in Phase::ALL {
                let standing = keeps_standing(*cause) && same_flow(nth - 1);
                later[nth - 1][cause.index()][phase.index()] = match standing {
                    true => given(of, Some((*cause, *phase)), still).1,
                    false => all,
                };
            }
        }
    }
    let mut states: Vec<(Standing, f64)> = vec![(None, 1.0)];
    let mut causes = Vec::with_capacity(seen.len());
    let mut likelihood = 0.0;
    for nth in 0..seen.len() {
        let mut posterior = [0.0; Cause::COUNT];
        let mut next: Vec<(Standing, f64)> = vec![(None, 0.0)];
        let mut total = 0.0;
        for (standing, weight) in &states {
            let (leaves, sum) = given(&of[nth], *standing, still);
            let succeeded = of[nth].success * if standing.is_some() { 1.0 - still } else { 1.0 };
            total += weight * sum;
            posterior[Cause::None.index()] += weight * succeeded;
            for cause in Cause::ALL {
                for phase in Phase::ALL {
                    let share = weight * leaves[cause.index()][phase.index()];
                    if share <= 0.0 {
                        continue;
                    }
                    posterior[cause.index()] += share;
                    // What the later attempts say is taken out again: they say it for themselves.
                    let own = share / later[nth][cause.index()][phase.index()].max(1e-300);
                    let standing = (keeps_standing(*cause) && same_flow(nth)).then_some((*cause, *phase));
                    match next.iter_mut().find(|(known, _)| *known == standing) {
                        Some((_, sum)) => *sum += own,
                        None => next.push((standing, own)),
                    }
                }
            }
        }
        if nth == 0 {
            likelihood = total;
        }
        posterior.iter_mut().for_each(|share| *share /= f64::max(total, 1e-300));
        causes.push(posterior);
        let sum: f64 = next.iter().map(|(_, weight)| weight).sum();
        next.iter_mut().for_each(|(_, weight)| *weight /= f64::max(sum, 1e-300));
        states = next;
    }
    (causes, likelihood)
}

fn keeps_standing(cause: Cause) -> bool {
    cause.outcome() == Outcome::TechnicalFailure && stands(cause)
}

/// The leaves of an attempt in which an obstacle may still stand, and the sum of all ways.
fn given(found: &Found, standing: Standing, still: f64) -> (Leaves, f64) {
    let Some((cause, at)) = standing else { return (found.leaves, everything(found)) };
    let mut leaves = found.leaves;
    for line in &mut leaves {
        for phase in Phase::ALL.iter().filter(|phase| **phase >= at) {
            line[phase.index()] *= 1.0 - still;
        }
    }
    leaves[cause.index()][at.index()] += still * found.standing[cause.index()][at.index()];
    let sum = leaves.iter().flatten().sum::<f64>() + (1.0 - still) * found.success;
    (leaves, sum)
}

// ---- settings

fn flow_of(context: &Context<'_>, seen: &Seen) -> Flow {
    seen.flow.unwrap_or_else(|| {
        let likeliest = FLOWS
            .iter()
            .max_by(|a, b| context.segment.flow(**a).share.total_cmp(&context.segment.flow(**b).share));
        likeliest.copied().unwrap_or(Flow::AppQr)
    })
}

/// Every setting of one attempt, weighed and summed.
fn look(
    model: &Model,
    context: &Context<'_>,
    all: &[Seen],
    chain: &[Vec<Sighting>],
    nth: usize,
    blur: [f64; 2],
    turn: f64,
) -> Found {
    let seen = &all[nth];
    let flow = flow_of(context, seen);
    let next = all.get(nth + 1).map(|next| Next { starts: next.first - 0.2, flow: flow_of(context, next) });
    let zero = [[0.0; Phase::COUNT]; Cause::COUNT];
    let mut sum = Found { leaves: zero, success: 0.0, standing: zero };
    if seen.at(Phase::Established).is_some() {
        sum.success = f64::from(next.is_none()).max(1e-6);
        return sum;
    }
    let browsers = browsers(context.segment, all);
    let setting = Setting {
        model,
        segment: context.segment,
        style: context.style,
        flow,
        phone_emits: context.phone_emits,
        transport: None,
        by_qr: false,
        conditional: false,
        browser: Browser::Other,
        limit_s: None,
        dropped: [false; 2],
        blur,
        next,
        points: POINTS.0,
        turn,
    };
    let dropped = dropped(context.style, model, &chain[nth], flow);
    let foreign = seen.as_foreign_login();
    let mut readings: Vec<(&Seen, f64)> = Vec::new();
    if !seen.phone_session {
        readings.push((seen, 1.0));
    }
    if let Some((foreign, density)) = &foreign {
        let unheard = if seen.phone_session { 1.0 } else { phone_silent(model, context.style) };
        readings.push((foreign, density * unheard));
    }
    // Where nothing fits, a clock is further off than it seemed.
    for blur in [blur, [3.0; 2], [100.0; 2]] {
        for (dropped, kept) in &dropped {
            let setting = Setting { dropped: *dropped, blur, ..setting };
            for (seen, share) in &readings {
                for (setting, weight) in settings(setting, seen, &browsers, chain) {
                    add(&mut sum, &walk(setting, seen), kept * weight * share);
                }
            }
        }
        if everything(&sum) > 0.0 {
            break;
        }
    }
    sum
}

/// The probability that the last word of a phone's page is lost.
fn phone_silent(model: &Model, style: &Style) -> f64 {
    let telemetry = &model.world.telemetry;
    match style.sides.of(Side::Authenticator).form {
        Form::Nothing => 1.0,
        _ => 1.0 - (1.0 - telemetry.unload_loss) * (1.0 - telemetry.loss.of(Side::Authenticator)),
    }
}

fn add(sum: &mut Found, found: &Found, weight: f64) {
    for cause in 0..Cause::COUNT {
        for phase in 0..Phase::COUNT {
            sum.leaves[cause][phase] += weight * found.leaves[cause][phase];
            sum.standing[cause][phase] += weight * found.standing[cause][phase];
        }
    }
    sum.success += weight * found.success;
}

/// What differs from attempt to attempt of one person, as far as it was not seen.
fn settings<'a>(
    setting: Setting<'a>,
    seen: &Seen,
    browsers: &[(Browser, f64)],
    chain: &[Vec<Sighting>],
) -> Vec<(Setting<'a>, f64)> {
    let world = setting.segment.world(setting.flow);
    match setting.flow {
        Flow::MagicLink => {
            let by_qr = world.link.by_qr;
            let certain = seen.at(Phase::Presented).is_some() || seen.at(Phase::Scanned).is_some();
            let mut settings = vec![(Setting { by_qr: true, ..setting }, by_qr)];
            if !certain {
                settings.push((Setting { by_qr: false, ..setting }, 1.0 - by_qr));
            }
            settings.retain(|(_, weight)| *weight > 0.0);
            settings
        }
        Flow::PasskeyCda => {
            let ceremony = &world.ceremony;
            let android = phone_is(setting.segment, chain, Os::Android);
            let mut transports: Vec<(Transport, f64)> = Vec::new();
            for (transport, share) in ceremony.transports.shares() {
                let linked = *transport == Transport::HybridLinked;
                // A security key and the platform pass the same phases.
                let same =
                    if *transport == Transport::Platform { Transport::SecurityKey } else { *transport };
                transports.push((same, if linked { share * android } else { share }));
                if linked {
                    transports.push((Transport::HybridQr, share * (1.0 - android)));
                }
            }
            let mut limits: Vec<(bool, Browser, Option<f64>, f64)> = Vec::new();
            for (conditional, share) in [(true, ceremony.conditional), (false, 1.0 - ceremony.conditional)] {
                if share == 0.0 || seen.conditional.is_some_and(|seen| seen != conditional) {
                    continue;
                }
                for (asked, asked_share) in ceremony.requested_timeout.shares() {
                    if seen.asked.is_some_and(|seen| seen != *asked) {
                        continue;
                    }
                    for (browser, browser_share) in browsers {
                        let limit = effective_timeout(*browser, *asked);
                        let limit = (!conditional).then_some(limit.0 as f64 / 1e3);
                        let weight = share * asked_share * browser_share;
                        match limits
                            .iter_mut()
                            .find(|known| (known.0, known.1, known.2) == (conditional, *browser, limit))
                        {
                            Some(known) => known.3 += weight,
                            None => limits.push((conditional, *browser, limit, weight)),
                        }
                    }
                }
            }
            let mut merged: Vec<(Transport, f64)> = Vec::new();
            for (transport, share) in transports.into_iter().filter(|(_, share)| *share > 0.0) {
                match merged.iter_mut().find(|(known, _)| *known == transport) {
                    Some((_, sum)) => *sum += share,
                    None => merged.push((transport, share)),
                }
            }
            let mut settings = Vec::with_capacity(merged.len() * limits.len());
            for (transport, share) in merged {
                for (conditional, browser, limit_s, weight) in &limits {
                    settings.push((
                        Setting {
                            transport: Some(transport),
                            points: if share > LIKELY { POINTS.0 } else { POINTS.1 },
                            conditional: *conditional,
                            browser: *browser,
                            limit_s: *limit_s,
                            ..setting
                        },
                        share * weight,
                    ));
                }
            }
            settings
        }
        Flow::AppQr | Flow::Unknown => vec![(setting, 1.0)],
    }
}

/// The browsers of the page: the one that was seen, else those of the segment.
fn browsers(segment: &SegmentModel, all: &[Seen]) -> Vec<(Browser, f64)> {
    if let Some(browser) = all.iter().find_map(|seen| seen.browser) {
        return vec![(browser, 1.0)];
    }
    let mut browsers: Vec<(Browser, f64)> = Vec::new();
    for ((_, browser), share) in segment.segment.initiators.shares() {
        // Those with one limit and one way of ending are one.
        let same = match browser {
            Browser::Edge | Browser::Samsung | Browser::Other => Browser::Chrome,
            browser => *browser,
        };
        match browsers.iter_mut().find(|(known, _)| *known == same) {
            Some((_, sum)) => *sum += share,
            None => browsers.push((same, share)),
        }
    }
    browsers
}

/// Whether an event says what the phone is: its own ones, and those of the server about its fetches.
fn tells_phone(seen: &Sighting) -> bool {
    let event = &seen.event;
    let by_server = event.name == EventName::LinkOpened && event.facts.synthetic != Some(Synthetic::Bot);
    seen.emitter(Flow::Unknown) == Emitter::Phone || by_server
}

fn phone_is(segment: &SegmentModel, chain: &[Vec<Sighting>], os: Os) -> f64 {
    let seen = chain.iter().flatten().filter(|seen| tells_phone(seen));
    let known = seen.filter_map(|seen| seen.event.environment.os.as_ref()).next();
    match known {
        Some(known) => f64::from(known.kind == os),
        None => {
            segment.segment.phones.shares().filter(|(known, _)| **known == os).map(|(_, share)| share).sum()
        }
    }
}

/// Whether the sampler dropped the page's trace and the phone's, with the weight of each case.
fn dropped(style: &Style, model: &Model, sightings: &[Sighting], flow: Flow) -> Vec<([bool; 2], f64)> {
    let sampling = style.sampling.unwrap_or(model.world.telemetry.sampling);
    if sampling.head >= 1.0 && !sampling.errors_only {
        return vec![([false; 2], 1.0)];
    }
    let spans_of = |phone: bool| {
        sightings.iter().any(|seen| {
            let emitter = seen.emitter(flow);
            let of_phone = matches!(emitter, Emitter::Phone | Emitter::ServerForPhone);
            let own = emitter.side() == Side::Server && !style.propagated;
            !seen.is_log() && !own && of_phone == phone
        })
    };
    let cases = |phone: bool| match (spans_of(phone), sampling.errors_only) {
        (true, true) => vec![(false, 1.0)],
        (true, false) => vec![(false, sampling.head)],
        (false, true) => vec![(false, 1.0), (true, 1.0)],
        (false, false) => vec![(false, sampling.head), (true, 1.0 - sampling.head)],
    };
    let phones = cases(true);
    cases(false)
        .into_iter()
        .flat_map(|(page, share)| phones.iter().map(move |(phone, other)| ([page, *phone], share * other)))
        .collect()
}

// ---- contexts

fn contexts<'a>(model: &'a Model, chain: &[Vec<Sighting>], seen: &[Seen]) -> Vec<Context<'a>> {
    let passkeys = seen.iter().any(|seen| seen.flow.is_none_or(|flow| flow == Flow::PasskeyCda));
    let phone_in_passkey = seen.iter().any(|seen| seen.flow == Some(Flow::PasskeyCda) && seen.phone_heard);
    let emits = model.world.telemetry.phone_emits_in_passkey;
    let phones = match (passkeys, phone_in_passkey) {
        (false, _) => vec![(false, 1.0)],
        (true, true) => vec![(true, emits)],
        // A phone that is instrumented and says nothing says little: it stands for both.
        (true, false) => vec![(emits >= 1.0, 1.0)],
    };
    let mut contexts = Vec::new();
    for segment in &model.segments {
        let likely = segment.share * environment(segment, chain) * first_flow(segment, seen);
        if likely <= 0.0 {
            continue;
        }
        for (style, share) in model.world.telemetry.styles.shares() {
            let fit = share * compatible(style, chain);
            for (phone_emits, weight) in phones.iter().filter(|(_, weight)| *weight > 0.0) {
                contexts.push(Context {
                    segment,
                    style,
                    phone_emits: *phone_emits,
                    weight: likely * fit * weight,
                });
            }
        }
    }
    let largest = contexts.iter().map(|context| context.weight).fold(0.0, f64::max);
    contexts.retain(|context| context.weight > largest * 1e-3);
    contexts
}

fn first_flow(segment: &SegmentModel, seen: &[Seen]) -> f64 {
    match seen.first().and_then(|seen| seen.flow) {
        Some(flow) => segment.flow(flow).share,
        None => 1.0,
    }
}

/// The probability of both devices in a segment.
fn environment(segment: &SegmentModel, chain: &[Vec<Sighting>]) -> f64 {
    let mut likely = 1.0;
    let events = || chain.iter().flatten();
    let page = events().find(|seen| seen.emitter(Flow::Unknown) == Emitter::Page);
    if let Some(environment) = page.map(|seen| &seen.event.environment) {
        if let (Some(os), Some(browser)) = (&environment.os, &environment.browser) {
            let same = |(known, _): &(&(Os, Browser), f64)| **known == (os.kind, browser.kind);
            likely *= segment.segment.initiators.shares().filter(same).map(|(_, share)| share).sum::<f64>();
        }
        if let Some(entry) = &environment.entry_point {
            let same = |(known, _): &(&std::sync::Arc<str>, f64)| known.as_ref() == entry.as_str();
            likely *= segment.segment.entry_points.shares().filter(same).map(|(_, share)| share).sum::<f64>();
        }
    }
    let phone = events().find(|seen| tells_phone(seen));
    if let Some(environment) = phone.map(|seen| &seen.event.environment) {
        if let Some(os) = &environment.os {
            let same = |(known, _): &(&Os, f64)| **known == os.kind;
            likely *= segment.segment.phones.shares().filter(same).map(|(_, share)| share).sum::<f64>();
        }
        if let Some(version) = &environment.app_version {
            let same = |(known, _): &(&std::sync::Arc<str>, f64)| known.as_ref() == version.as_str();
            likely *= segment.segment.app_versions.shares().filter(same).map(|(_, share)| share).sum::<f64>();
        }
    }
    let asked_by_page = |seen: &&Sighting| {
        matches!(seen.event.name, EventName::ChallengeCreated | EventName::LinkSent)
            && seen.event.facts.country.is_some()
    };
    if let Some(country) = events().find(asked_by_page).and_then(|seen| seen.event.facts.country) {
        let abroad = &country == b"NL";
        let expected =
            if segment.segment.relayed { abroad } else { country == *segment.segment.country.as_bytes() };
        likely *= if expected { 1.0 } else { 1e-9 };
    }
    likely
}

/// How well the events fit a style of instrumentation.
fn compatible(style: &Style, chain: &[Vec<Sighting>]) -> f64 {
    const ODD: f64 = 1e-3;
    let mut fit = 1.0;
    for seen in chain.iter().flatten() {
        let emitter = seen.emitter(seen.event.flow.unwrap_or(Flow::Unknown));
        let side = style.sides.of(emitter.side());
        let is_log = matches!(side.form, Form::Log | Form::LogInSpan);
        let keys = &seen.event.keys;
        let has = |kind| side.keys.contains(&kind);
        use authstitch_model::KeyKind::{Flow as Container, Journey, Session};
        let odd = [
            side.form == Form::Nothing,
            is_log != seen.is_log(),
            style.flow != seen.event.flow.is_some(),
            keys.journey.is_some() && !has(Journey),
            keys.flow.is_some() != has(Container),
            keys.session.is_some() && !has(Session),
        ];
        fit *= ODD.powi(odd.iter().filter(|odd| **odd).count() as i32);
    }
    fit.max(1e-60)
}

// ---- clocks

fn offsets(model: &Model, chain: &[Vec<Sighting>], base: UnixNanos) -> [Offset; 2] {
    let batching = model.world.telemetry.batching;
    let window = |log: bool| {
        let Millis(millis) = if log { batching.logs } else { batching.spans };
        millis as f64 / 1e3
    };
    let early = |side: Side| -> Vec<(f64, f64)> {
        chain
            .iter()
            .flatten()
            .filter(|seen| seen.emitter(Flow::Unknown).side() == side)
            .map(|seen| {
                let stamped = seconds(seen.event.time, base) - seconds(seen.arrives, base);
                (stamped, window(seen.is_log()))
            })
            .collect()
    };
    let bands = |side: Side| model.world.telemetry.clock.of(side);
    let (mut of_page, mut of_phone) = (Vec::new(), Vec::new());
    let raw: Vec<Seen> = chain.iter().map(|sightings| Seen::new(sightings, base, [0.0; 2])).collect();
    let exact = raw.iter().filter(|seen| seen.flow == Some(Flow::PasskeyCda)).find_map(|seen| {
        let server = seen.at(Phase::Started).filter(|moment| moment.side == Side::Server)?;
        Some(seen.called? - 0.03 - server.at)
    });
    let law = |flow: Flow, phase: Phase| -> Option<&Duration> {
        Some(&model.segments.first()?.flow(flow).step(phase)?.time)
    };
    for seen in &raw {
        let Some(flow) = seen.flow else { continue };
        let between = |from: Phase, to: Phase| Some((seen.at(from)?, seen.at(to)?, law(flow, to)?));
        for (from, to) in [
            (Phase::Started, Phase::Presented),
            (Phase::Verified, Phase::Returned),
            (Phase::Confirmed, Phase::Verified),
            (Phase::Opened, Phase::Prompted),
        ] {
            let Some((first, second, law)) = between(from, to) else { continue };
            let length = second.at - first.at;
            match (first.side, second.side) {
                (Side::Server, Side::Initiator) => {
                    of_page.push(Bridge { after: length, law, forwards: true });
                }
                (Side::Initiator, Side::Server) => {
                    of_page.push(Bridge { after: -length, law, forwards: false });
                }
                (Side::Server, Side::Authenticator) => {
                    of_phone.push(Bridge { after: length, law, forwards: true });
                }
                (Side::Authenticator, Side::Server) => {
                    of_phone.push(Bridge { after: -length, law, forwards: false });
                }
                _ => {}
            }
        }
    }
    let page = match exact {
        Some(ahead) => Offset { ahead, blur: 0.03 },
        None => offset(&early(Side::Initiator), bands(Side::Initiator), &of_page),
    };
    for seen in &raw {
        let Some(flow) = seen.flow.filter(|flow| *flow == Flow::AppQr) else { continue };
        if let (Some(shown), Some(scanned), Some(law)) =
            (seen.at(Phase::Presented), seen.at(Phase::Scanned), law(flow, Phase::Scanned))
        {
            of_phone.push(Bridge { after: scanned.at - (shown.at - page.ahead), law, forwards: true });
        }
    }
    [page, offset(&early(Side::Authenticator), bands(Side::Authenticator), &of_phone)]
}
