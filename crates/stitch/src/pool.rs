//! Things that live at a place which does not change, in chunks that are given back once they are empty.
//!
//! A new thing goes to the chunk that found room last, so that after a burst the others run empty.

/// Where a thing lies.
pub type Place = u32;

/// No place.
pub const NOWHERE: Place = Place::MAX;

/// Things of one chunk: enough that a chunk's own cost vanishes, few enough that one soon runs empty.
const CHUNK: usize = 256;

/// Things by their places. Where a thing was taken back lies the default, until its place is given out again.
#[derive(Debug)]
pub struct Pool<T> {
    /// The things of each chunk, if it has any memory.
    chunks: Vec<Option<Box<[T; CHUNK]>>>,
    /// What is free in each chunk.
    rooms: Vec<Room>,
    /// The chunks with room, each once.
    roomy: Vec<usize>,
    len: usize,
}

/// What is free in a chunk.
#[derive(Debug, Default)]
struct Room {
    /// Places that were given out at some time: those before this one.
    used: usize,
    /// Places taken back.
    free: Vec<u8>,
}

impl Room {
    const fn is_full(&self) -> bool {
        self.free.is_empty() && self.used == CHUNK
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), rooms: Vec::new(), roomy: Vec::new(), len: 0 }
    }
}

impl<T: Default> Pool<T> {
    /// Finds a place for a thing.
    pub fn insert(&mut self, thing: T) -> Place {
        let place = self.claim();
        self[place] = thing;
        place
    }

    /// Finds a place, where something of old may lie still.
    pub fn claim(&mut self) -> Place {
        let number = match self.roomy.last() {
            Some(number) => *number,
            None => {
                self.chunks.push(None);
                self.rooms.push(Room::default());
                self.roomy.push(self.chunks.len() - 1);
                self.chunks.len() - 1
            }
        };
        let room = &mut self.rooms[number];
        let within = room.free.pop().unwrap_or_else(|| {
            room.used += 1;
            (room.used - 1) as u8
        });
        if room.is_full() {
            self.roomy.pop();
        }
        self.chunks[number].get_or_insert_with(|| Box::new(std::array::from_fn(|_| T::default())));
        self.len += 1;
        (number * CHUNK) as Place | Place::from(within)
    }

    /// Takes a thing back.
    pub fn remove(&mut self, place: Place) -> T {
        let thing = std::mem::take(&mut self[place]);
        self.release(place);
        thing
    }

    /// Takes a place back, with what lies there.
    pub fn release(&mut self, place: Place) {
        let number = place as usize / CHUNK;
        let room = &mut self.rooms[number];
        let was_full = room.is_full();
        room.free.push(place as u8);
        self.len -= 1;
        if was_full {
            let filled_so_far = self.roomy.last().copied();
            self.roomy.push(number);
            filled_so_far.into_iter().for_each(|number| self.give_back(number));
        } else if self.roomy.last() != Some(&number) {
            self.give_back(number);
        }
    }

    /// Gives an empty chunk's memory back. The one that is filled next keeps its own, so that one thing that
    /// comes and goes costs nothing.
    fn give_back(&mut self, number: usize) {
        let room = &mut self.rooms[number];
        if room.free.len() == room.used {
            *room = Room::default();
            self.chunks[number] = None;
        }
    }

    /// What lies at a place, which may have been given back since.
    pub fn get(&self, place: Place) -> Option<&T> {
        let chunk = self.chunks.get(place as usize / CHUNK)?.as_ref()?;
        Some(&chunk[place as usize % CHUNK])
    }

    /// How many things there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Every place with what lies there.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &T)> {
        let chunks = self.chunks.iter().enumerate();
        chunks.filter_map(|(number, chunk)| Some((number, chunk.as_ref()?))).flat_map(|(number, chunk)| {
            chunk.iter().enumerate().map(move |(within, thing)| ((number * CHUNK + within) as Place, thing))
        })
    }
}

impl<T> std::ops::Index<Place> for Pool<T> {
    type Output = T;

    fn index(&self, place: Place) -> &T {
        #[expect(clippy::expect_used, reason = "whoever has a place has what lies there")]
        let chunk = self.chunks[place as usize / CHUNK].as_ref().expect("a place that was given out");
        &chunk[place as usize % CHUNK]
    }
}

impl<T> std::ops::IndexMut<Place> for Pool<T> {
    fn index_mut(&mut self, place: Place) -> &mut T {
        #[expect(clippy::expect_used, reason = "whoever has a place has what lies there")]
        let chunk = self.chunks[place as usize / CHUNK].as_mut().expect("a place that was given out");
        &mut chunk[place as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_do_not_change_and_are_given_out_again() {
        let mut pool = Pool::default();
        let places: Vec<_> = (0..1000u64).map(|number| pool.insert(number)).collect();
        assert!(places.iter().zip(0..).all(|(place, number)| pool[*place] == number));
        assert_eq!(pool.remove(places[300]), 300);
        assert_eq!(pool.insert(7), places[300]);
        assert_eq!((pool[places[300]], pool.len()), (7, 1000));
    }

    #[test]
    fn after_a_burst_its_chunks_are_given_back() {
        let mut pool = Pool::default();
        let places: Vec<_> = (0..100_000u64).map(|number| pool.insert(number)).collect();
        for place in places {
            pool.remove(place);
        }
        assert_eq!(pool.get(5), None, "what was given back with its chunk is nothing");
        let kept = pool.chunks.iter().flatten().count();
        assert!(kept <= 1, "{kept}");
        assert_eq!(pool.len(), 0);
    }
}
